import type { ByteStream } from '../../api/byte-stream.js';

/** A serial console as PVE's terminal proxy serves it: a line with the ticket, then what is printed from now on. */
export async function serveSerial(
  stream: ByteStream,
  {
    expected,
    port,
    refuses,
    lines,
  }: {
    readonly expected: string;
    readonly port: string;
    /** Before qemu-server 9.1.7 a token is asked for its ticket where tokens have none. */
    readonly refuses: boolean;
    readonly lines: () => readonly string[];
  },
): Promise<void> {
  let said = '';
  while (!said.includes('\n')) said += (await stream.readSome()).toString('utf8');
  if (refuses || said.slice(0, said.indexOf('\n')) !== expected) return;
  stream.write(Buffer.from('OK'));
  stream.write(Buffer.from(`starting serial terminal on interface ${port}\r\n`));
  stream.write(Buffer.from(lines().join('\r\n')));
  // Until the other side has seen enough.
  for (;;) await stream.readSome();
}
