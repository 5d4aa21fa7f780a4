import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { dirname, join } from 'node:path';

/** What the path of a socket may have, by unix(7), without the zero at its end. Bytes. */
const LONGEST_PATH = 107;

/** A socket that is listened on as long as the process lives, stopped by SIGSTOP too. */
export interface Listening {
  close(): void;
}

/** Null on a file system that carries no sockets. */
export async function listenAt(path: string): Promise<Listening | null> {
  const way = wayTo(path);
  const server = createServer((caller) => caller.destroy());
  const end = () => {
    server.close();
    rmSync(path, { force: true });
    way.close();
  };
  try {
    await bound(server, way.path);
    // It is to keep no process alive.
    server.unref();
    return { close: end };
  } catch {
    end();
    return null;
  }
}

const bound = (server: Server, path: string) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, resolve);
  });

/** Of what a call says that fails. EAGAIN: so many have called a process that is stopped that no more can wait. */
const PROOFS: ReadonlyMap<string, 'yes' | 'no'> = new Map([
  ['EAGAIN', 'yes'],
  ['ECONNREFUSED', 'no'],
]);

/** Whether a process of this boot listens: only a refusal proves that none does. */
export async function listensAt(path: string): Promise<'yes' | 'no' | 'unknown'> {
  const way = wayTo(path);
  try {
    return await new Promise((resolve) => {
      const socket = dial({ path: way.path });
      socket.once('connect', () => resolve('yes'));
      socket.once('error', ({ code }: NodeJS.ErrnoException) => {
        resolve(PROOFS.get(code ?? '') ?? 'unknown');
      });
      socket.once('close', () => resolve('unknown')).once('connect', () => socket.destroy());
    });
  } finally {
    way.close();
  }
}

/** A deep folder is reached through its descriptor, which makes a short path of it. */
function wayTo(path: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(path) <= LONGEST_PATH || !existsSync('/proc/self/fd'))
    return { path, close: () => {} };
  const folder = openSync(dirname(path), 'r');
  return {
    path: join('/proc/self/fd', String(folder), path.slice(dirname(path).length + 1)),
    close: () => closeSync(folder),
  };
}
