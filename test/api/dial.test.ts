import { describe, expect, it } from 'vitest';
import { Endpoint } from '../../src/api/endpoint.js';
import type { TlsConfig } from '../../src/config/schema.js';
import { options, type Reply, serve, TOKEN_SECRET } from './server.js';

const OTHER = Array.from({ length: 32 }, () => 'AB').join(':');
const PATH = '/nodes/pve1/qemu/900/vncwebsocket';
const TICKET = 'PVEVNC:65F0A1B2::secret+ticket/with=signs';

async function dialled(reply: Reply, tls?: TlsConfig) {
  const server = await serve(() => reply);
  const endpoint = new Endpoint('pve', server.address, options(server, tls ? { tls } : {}));
  const outcome = await endpoint
    .dial(PATH, { port: 5900, vncticket: TICKET })
    .catch((error: unknown) => error as Error & { code?: string });
  await endpoint.close();
  await server.stop();
  return { outcome, server };
}

describe('a websocket to a server', () => {
  it('is not requested where the certificate is another one: not one byte is sent', async () => {
    const { outcome, server } = await dialled('silent', { fingerprints: [OTHER] });
    expect(outcome).toMatchObject({ code: 'net.untrusted' });
    expect(server.bytes()).toBe(0);
  });

  it('is requested once, with the token in a header and the ticket encoded', async () => {
    const { server } = await dialled({ status: 401, reason: 'permission denied - invalid PVEVNC ticket' });
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.headers.authorization).toContain(TOKEN_SECRET);
    expect(new URL(server.received[0]?.url ?? '', 'https://x').searchParams.get('vncticket')).toBe(TICKET);
  });

  it.each`
    reply                                                                        | code                  | words
    ${{ status: 401, reason: 'permission denied - invalid PVEVNC ticket' }}      | ${'api.unauthorized'} | ${/invalid PVEVNC ticket/}
    ${{ status: 403, reason: 'Permission check failed (/vms/900, VM.Console)' }} | ${'api.forbidden'}    | ${/lacks VM\.Console on \/vms\/900/}
    ${{ status: 595, reason: 'No route to host' }}                               | ${'net.unreachable'}  | ${/No route to host/}
    ${'cut'}                                                                     | ${'net.unreachable'}  | ${/broke off/}
    ${'silent'}                                                                  | ${'net.unreachable'}  | ${/no answer to the request for a websocket/}
  `('that is answered with $reply is $code', async ({ reply, code, words }) => {
    const { outcome } = await dialled(reply);
    expect(outcome).toMatchObject({ code, message: expect.stringMatching(words) });
    for (const secret of [TICKET, TOKEN_SECRET]) expect(String(outcome)).not.toContain(secret);
  });
});
