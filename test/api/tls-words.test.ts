import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { distrustTrouble, handshakeTrouble } from '../../src/api/tls-words.js';
import { makeCertificate } from '../../src/lab/certificate.js';

const thrown = (code: string, message = '') => Object.assign(new Error(message), { code });
const OPENSSL =
  '80AC7:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../deps/openssl/';

describe('a handshake that failed', () => {
  it.each`
    code                                           | named    | why                                         | hint
    ${'ERR_SSL_TLSV1_UNRECOGNIZED_NAME'}           | ${true}  | ${/does not know this name/}                | ${/the name that the server/}
    ${'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'}     | ${true}  | ${/^the server refused the TLS handshake$/} | ${/log of that server/}
    ${'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'}     | ${false} | ${/tells servers apart by name/}            | ${/a name and not an address/}
    ${'ERR_SSL_WRONG_VERSION_NUMBER'}              | ${true}  | ${/does not speak TLS/}                     | ${/port of the endpoint/}
    ${'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'}      | ${true}  | ${/no version of TLS/}                      | ${/TLS 1\.2/}
    ${'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'} | ${true}  | ${/wants a certificate of the client/}      | ${/client certificates/}
    ${'EPROTO'}                                    | ${true}  | ${/refused the TLS handshake/}              | ${/log of that server/}
  `('with $code (name sent: $named) is told in words', ({ code, named, why, hint }) => {
    const trouble = handshakeTrouble(thrown(code, code === 'EPROTO' ? OPENSSL : ''), named);
    expect(trouble).toEqual({ why: expect.stringMatching(why), hint: expect.stringMatching(hint) });
    expect(JSON.stringify(trouble)).not.toMatch(/OpenSSL|routines/i);
  });

  it('is not what a refused connection is', () =>
    expect(handshakeTrouble(thrown('ECONNREFUSED', 'connect ECONNREFUSED'), true)).toBeNull());
});

describe('a certificate that no CA vouches for', () => {
  const judge = async (code: string) =>
    distrustTrouble(code, new X509Certificate((await makeCertificate('pbs01')).cert));

  it.each([
    ['CERT_HAS_EXPIRED', /^it has expired, or another one of its chain has \(its own ends on /, /^Renew it/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /an intermediate certificate is missing/, /send its whole chain/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /unknown CA/, /tls\.caFile/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed/, /fingerprint/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another name/, /one of its names/],
    ['CERT_NOT_YET_VALID', /not valid yet/, /clocks/],
    ['CERT_REVOKED', /^CERT_REVOKED$/, /fingerprint/],
  ])('because of %s is told in words, with its own fix', async (code, why, hint) => {
    expect(await judge(code)).toEqual({
      why: expect.stringMatching(why),
      hint: expect.stringMatching(hint),
    });
  });
});
