import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes what is posted to a Slack webhook, on loopback. */
export class SlackSink {
  readonly messages: unknown[] = [];
  /** What it answers; scenarios and tests may change it. */
  status = 200;
  /** Told of each message that was taken. */
  onMessage: (message: unknown) => void = () => {};
  #server: Server | undefined;
  #path = '/services/lab';

  async listen(path: string): Promise<string> {
    this.#path = path;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url !== this.#path) {
          response.writeHead(404).end('no_service');
          return;
        }
        const message = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
        if (this.status === 200 && !message.text && !message.blocks && !message.attachments) {
          response.writeHead(400, { 'content-type': 'text/plain' }).end('no_text');
          return;
        }
        if (this.status === 200) {
          this.messages.push(message);
          this.onMessage(message);
        }
        response
          .writeHead(this.status, { 'content-type': 'text/plain' })
          .end(this.status === 200 ? 'ok' : 'error');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
