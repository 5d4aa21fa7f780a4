import { stripVTControlCharacters } from 'node:util';
import { type ByteStream, StreamEnded } from '../api/byte-stream.js';
import type { ConsoleLine } from '../api/guest-console.js';
import { Fault } from '../fault.js';
import type { Clock } from '../world.js';

const MOST_LINES = 60;

/**
 * What a serial console prints for a while. It keeps nothing of what it has printed before, and nothing is
 * typed: a key could be the answer to a question that stands there.
 * @throws Fault `console.refused` when the token is not accepted there; StreamEnded
 */
export async function listenToSerial(
  { stream, user, ticket }: Pick<ConsoleLine, 'stream' | 'user' | 'ticket'>,
  { clock, forMs }: { readonly clock: Clock; readonly forMs: number },
): Promise<string> {
  stream.write(Buffer.from(`${user}:${ticket}\n`));
  const greeting = await stream.read(2).catch((error: unknown) => {
    throw error instanceof StreamEnded ? refused() : error;
  });
  if (greeting.toString('latin1') !== 'OK') throw refused();
  // Of a terminal that is 80 by 24.
  stream.write(Buffer.from('1:80:24:'));
  const heard = collect(stream);
  await clock.sleep(forMs);
  stream.end('enough was heard');
  return readable(Buffer.concat(await heard).toString('utf8'));
}

async function collect(stream: Pick<ByteStream, 'readSome'>): Promise<Buffer[]> {
  const heard: Buffer[] = [];
  for (;;) {
    try {
      heard.push(await stream.readSome());
    } catch (error) {
      if (error instanceof StreamEnded) return heard;
      throw error;
    }
  }
}

/** Lines as a person would have seen them: without colours, and of a line that was overwritten the last state. Pure. */
export function readable(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split(/\r?\n/)
    .map((line) => line.split('\r').at(-1) ?? '')
    .map((line) => line.replace(/[\p{Cc}\p{Cf}]/gu, '').trimEnd())
    .filter((line) => !line.startsWith('starting serial terminal on interface'));
  return lines.slice(-MOST_LINES).join('\n').trim();
}

const refused = () =>
  new Fault('console.refused', 'PVE does not show the serial console to an API token.', {
    hint: 'It does from qemu-server 9.1.7 on. Open the console in the web UI of PVE.',
  });
