import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import { options, serve, type TestServer } from './server.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/** A PBS whose answers are written byte by byte as the test says. */
async function pbsThat(write: (response: ServerResponse) => void, requestTimeoutMs = 300) {
  const server = await serve(() => ({ write }));
  running.push(server);
  return { server, pbs: connectPbs(options(server, { requestTimeoutMs })) };
}
const BEGINNING = '{"data":{"version":"4.1","rel';

describe('an answer that is not whole', () => {
  it.each<[string, (response: ServerResponse) => void, string, string]>([
    ['is empty', (response) => response.end(), 'api.unreadable', 'api.unreadable'],
    ['ends early, and says so', (response) => response.end(BEGINNING), 'api.unreadable', 'api.unreadable'],
    [
      'is cut off in its middle',
      (response) => {
        response.writeHead(200, { 'content-length': 1000 }).write(BEGINNING);
        setTimeout(() => response.destroy(), 20);
      },
      'net.unreachable',
      'outcome.unknown',
    ],
    [
      'stops in its middle',
      (response) => void response.writeHead(200, { 'content-length': 1000 }).write(BEGINNING),
      'net.timeout',
      'outcome.unknown',
    ],
    [
      'goes on for ever, a byte at a time',
      (response) => {
        response.writeHead(200).write(BEGINNING);
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
      },
      'net.timeout',
      'outcome.unknown',
    ],
  ])('and %s is an error, another one for a write where it may have had its effect', async (_, write, asked, written) => {
    const { pbs } = await pbsThat(write);
    await expect(pbs.version()).rejects.toMatchObject({ code: asked });
    await expect(pbs.startService('pbs-ctl-upgrade.service')).rejects.toMatchObject({ code: written });
    await pbs.close();
  });

  it.each([
    [
      200,
      '<!DOCTYPE html><title>Router</title>',
      {},
      'is not a PBS: it answered GET /version with a web page',
    ],
    [404, '<html>not found</html>', {}, 'is not a PBS: it answered GET /version with a web page'],
    [401, '', { server: 'pve-api-daemon/3.0' }, 'is not a PBS: it answered GET /version as a PVE node does'],
  ])('and is that of another product (%i, %j) is named as that', async (status, body, headers, words) => {
    const { pbs } = await pbsThat((response) => response.writeHead(status, headers).end(body));
    await expect(pbs.version()).rejects.toMatchObject({
      code: 'api.unreadable',
      message: expect.stringContaining(words),
      hint: expect.stringContaining('Check the endpoint, and its port: PBS answers at 8007'),
    });
    await pbs.close();
  });

  it('and has no end, however fast it comes, is given up long before it fills the memory', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const { pbs } = await pbsThat((response) => {
      const more = () => {
        do sent += chunk.length;
        while (response.write(chunk));
      };
      response.writeHead(200).on('drain', more);
      more();
    }, 20_000);
    await expect(pbs.reboot()).rejects.toMatchObject({ message: expect.stringContaining('32 MiB') });
    expect(sent).toBeLessThan(200 * 1024 * 1024);
    await pbs.close();
  });
});
