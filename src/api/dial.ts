import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { WebSocket } from 'ws';
import type { Clock } from '../world.js';
import { ByteStream } from './byte-stream.js';

/** The server answered the request for a websocket with something else. */
export class NotUpgraded extends Error {
  override readonly name = 'NotUpgraded';
  readonly status: number;
  constructor(status: number, words: string) {
    super(words);
    this.status = status;
  }
}

/** The largest frame that is taken; PVE sends at most 128 KiB. */
const FRAME_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Opens a websocket over a connection that the connector has judged already: a server that is not
 * trusted never sees a byte of the token. One attempt.
 * @throws NotUpgraded, Fault `net.untrusted`, NotConnected, or the error that broke the connection
 */
export async function dial(
  connector: buildConnector.connector,
  address: string,
  pathAndQuery: string,
  {
    authorization,
    clock,
    limitMs,
  }: { readonly authorization: string; readonly clock: Clock; readonly limitMs: number },
): Promise<ByteStream> {
  const { protocol, hostname, port, host } = new URL(address);
  const connection = await new Promise<Socket>((resolve, reject) =>
    connector({ hostname, port, protocol, host }, (error, socket) =>
      socket ? resolve(socket) : reject(error ?? new Error('no connection')),
    ),
  );
  const socket = new WebSocket(`${address.replace(/^http/, 'ws')}${pathAndQuery}`, 'binary', {
    createConnection: () => connection,
    headers: { authorization, 'user-agent': 'pbs-ctl' },
    perMessageDeflate: false,
    maxPayload: FRAME_LIMIT_BYTES,
  });
  // Before it is open: the first bytes may come together with the answer.
  const stream = new ByteStream(socket);
  // A limit of ws itself holds only for connections that it has opened.
  const limit = clock.timeout(limitMs);
  try {
    await new Promise<void>((resolve, reject) => {
      limit.addEventListener('abort', () =>
        reject(new Error(`no answer to the request for a websocket within ${limitMs / 1000} s`)),
      );
      socket.once('open', () => resolve());
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        reject(new NotUpgraded(response.statusCode ?? 0, response.statusMessage ?? ''));
        response.destroy();
      });
    });
  } catch (error) {
    stream.end();
    connection.destroy();
    throw error;
  }
  return stream;
}
