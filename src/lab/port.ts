import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Ports below those that systems give to outgoing connections: a server that is away for a while must find
 * its own again, and not a client on it.
 */
const FIRST = 15_000;
const BEYOND = 32_000;
const TRIES = 100;
const PAUSE_MS = 50;

/**
 * Listens on loopback, on this port or (0) on one that is free.
 * @returns the port
 * @throws the error of the last try
 */
export async function listenOn(server: Server, port: number): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const wanted = port === 0 ? randomInt(FIRST, BEYOND) : port;
    try {
      await listening(server, wanted);
      return wanted;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === TRIES) throw error;
      if (port !== 0) await delay(PAUSE_MS);
    }
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      server.off('error', failed);
      resolve();
    };
    const failed = (error: unknown) => {
      server.off('listening', done);
      reject(error);
    };
    server.once('error', failed).once('listening', done).listen(port, '127.0.0.1');
  });
}
