import type { ClientBytes } from './client-bytes.js';

/** A serial console as PVE's terminal proxy serves it: a line with the ticket, then what is printed from now on. */
export async function serveSerial(
  client: ClientBytes,
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
  while (!said.includes('\n')) said += (await client.read()).toString('utf8');
  if (refuses || said.slice(0, said.indexOf('\n')) !== expected) return;
  client.write('OK');
  client.write(`starting serial terminal on interface ${port}\r\n`);
  client.write(lines().join('\r\n'));
  // Until the other side has seen enough.
  for (;;) await client.read();
}
