import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Fleet {
  readonly port: number;
  readonly fingerprint: string;
  readonly configPath: string;
  /** Ends the servers. @returns how often they were connected to and asked */
  stop(): Promise<{ connections: number; requests: number }>;
}

/** Hosts in clusters, all of them played by one other process, and a config for them. */
export async function startFleet(hosts: number, clusters: number, roundTripMs: number): Promise<Fleet> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('servers.js', import.meta.url)), `${roundTripMs}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = linesOf(child.stdout);
  const { port, fingerprint } = JSON.parse(await lines.next()) as { port: number; fingerprint: string };
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-fleet-'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, '11111111-2222-3333-4444-555555555555\n', { mode: 0o600 });
  const server = (net: number, index: number) =>
    `https://127.${net}.${Math.floor(index / 250)}.${1 + (index % 250)}:${port}`;
  const tls = { fingerprints: [fingerprint] };
  const named = (count: number, entry: (index: number) => [string, object]) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => entry(index)));
  const configPath = join(folder, 'config.json');
  writeFileSync(
    configPath,
    JSON.stringify({
      stateDir: join(folder, 'state'),
      clusters: named(clusters, (index) => [
        `cluster${index}`,
        { endpoints: [server(2, index)], token: 'pbs-ctl@pve!patch', secret: { file: secret }, tls },
      ]),
      hosts: named(hosts, (index) => [
        `pbs${String(index).padStart(4, '0')}`,
        {
          endpoint: server(1, index),
          token: 'pbs-ctl@pbs!patch',
          secret: { file: secret },
          tls,
          guest: { cluster: `cluster${index % clusters}`, vmid: 100 + Math.floor(index / clusters) },
        },
      ]),
    }),
  );
  return {
    port,
    fingerprint,
    configPath,
    stop: async () => {
      child.kill('SIGTERM');
      const counts = JSON.parse(await lines.next());
      rmSync(folder, { recursive: true, force: true });
      return counts;
    },
  };
}

function linesOf(stream: NodeJS.ReadableStream): { next(): Promise<string> } {
  let text = '';
  let wake = () => {};
  stream.setEncoding('utf8');
  stream.on('data', (more: string) => {
    text += more;
    wake();
  });
  return {
    next: async () => {
      while (!text.includes('\n')) await new Promise<void>((resolve) => (wake = resolve));
      const end = text.indexOf('\n');
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return line;
    },
  };
}
