import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errorDocument, Fault } from '../fault.js';

export interface Disk {
  /** @returns how many bytes were written */
  writeSync(file: number, bytes: Uint8Array): number;
  fsyncSync(file: number): void;
  ftruncateSync(file: number, length: number): void;
}
export const realDisk: Disk = { writeSync, fsyncSync, ftruncateSync };

/** A file that grows by whole lines, each flushed to disk before the next. */
export class LineFile {
  readonly #file: number;
  readonly #disk: Disk;
  /** Length of the whole lines; null once half a line could not be cut off. */
  #whole: number | null;

  constructor(path: string, disk: Disk) {
    this.#disk = disk;
    this.#file = openSync(path, 'a', 0o600);
    this.#whole = fstatSync(this.#file).size;
  }

  /**
   * Returns once the line is on disk. Half a line, as on a disk that fills up, is cut off again: the next line
   * must not follow it.
   * @throws Error of the file system
   */
  append(line: string): void {
    if (this.#whole === null) throw new Error('an earlier line of it could not be written');
    const bytes = Buffer.from(`${line}\n`);
    const whole = this.#whole;
    try {
      // A disk that fills up takes what fits and reports success.
      for (let done = 0; done < bytes.length; )
        done += this.#disk.writeSync(this.#file, bytes.subarray(done));
      this.#disk.fsyncSync(this.#file);
      this.#whole = whole + bytes.length;
    } catch (error) {
      this.#whole = this.#cutTo(whole);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #cutTo(length: number): number | null {
    try {
      this.#disk.ftruncateSync(this.#file, length);
      this.#disk.fsyncSync(this.#file);
      return length;
    } catch {
      return null;
    }
  }
}

/** Turns errors of the file system into Faults. @throws Fault `state.unwritable`, and any other Fault as it is */
export function orUnwritable<Value>(path: string | null, act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      'state.unwritable',
      `The state directory cannot be used (${path}): ${errorDocument(error).message}`,
      {
        hint: 'Without a journal nothing is changed. Free space, fix the rights, or set "stateDir" in the config.',
        cause: error,
      },
    );
  }
}
