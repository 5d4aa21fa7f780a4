import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LOOK_EVERY_MS = 25;

/**
 * Reads what the stand-ins of a machine report: one JSON line each in its `events` file, written by
 * processes that have no other way to reach the lab.
 */
export class MachineReports {
  readonly #file: string;
  readonly #tell: (kind: string, detail: Record<string, unknown>) => void;
  readonly #timer: NodeJS.Timeout;
  #offset = 0;

  constructor(state: string, tell: (kind: string, detail: Record<string, unknown>) => void) {
    this.#file = join(state, 'events');
    this.#tell = tell;
    this.#timer = setInterval(() => this.read(), LOOK_EVERY_MS).unref();
  }

  /** Tells what has come since the last look. */
  read(): void {
    for (const line of this.#newLines()) {
      const { kind, ...detail } = JSON.parse(line) as { kind: string };
      this.#tell(kind, detail);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #newLines(): string[] {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.#offset) return [];
    const buffer = Buffer.alloc(size - this.#offset);
    const file = openSync(this.#file, 'r');
    readSync(file, buffer, 0, buffer.length, this.#offset);
    closeSync(file);
    const end = buffer.lastIndexOf('\n') + 1;
    this.#offset += end;
    return buffer.toString('utf8', 0, end).split('\n').filter(Boolean);
  }
}
