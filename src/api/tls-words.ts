import type { X509Certificate } from 'node:crypto';

/** Why TLS came to nothing, and what to do about it. */
interface TlsTrouble {
  readonly why: string;
  readonly hint: string;
}

const NAME_HINT =
  'Use the name that the server, or the proxy in front of it, expects as the endpoint: a name and not an address.';

/**
 * A handshake that failed, in words instead of those of OpenSSL; null for another error.
 * @param named whether the endpoint is a name, which is sent, and not an address, which cannot be
 */
export function handshakeTrouble(error: Error, named: boolean): TlsTrouble | null {
  const { code = '' } = error as NodeJS.ErrnoException;
  const said = `${code} ${error.message}`.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  const is = (...words: string[]) => words.some((word) => said.includes(word));
  if (is('WRONG_VERSION_NUMBER', 'PACKET_LENGTH_TOO_LONG', 'HTTP_REQUEST', 'UNKNOWN_PROTOCOL', 'NOT_SSL'))
    return {
      why: 'what answers there does not speak TLS; it may be plain http, or another service',
      hint: 'Check the port of the endpoint: 8007 for PBS, 8006 for PVE.',
    };
  if (is('UNRECOGNIZED_NAME'))
    return { why: 'the server refused the TLS handshake: it does not know this name', hint: NAME_HINT };
  if (is('HANDSHAKE_FAILURE', 'ALERT_INTERNAL_ERROR', 'ALERT_ACCESS_DENIED', 'ALERT_NO_CERTIFICATE'))
    return {
      why: `the server refused the TLS handshake${named ? '' : ', perhaps since it tells servers apart by name'}`,
      hint: named ? 'Look at the log of that server, or of the proxy in front of it.' : NAME_HINT,
    };
  if (is('CERTIFICATE_REQUIRED', 'BAD_CERTIFICATE'))
    return {
      why: 'the server wants a certificate of the client, which pbs-ctl has none of',
      hint: 'Leave this path out of the client certificates of the proxy in front of it.',
    };
  if (
    is(
      'PROTOCOL_VERSION',
      'UNSUPPORTED_PROTOCOL',
      'NO_PROTOCOLS',
      'NO_SHARED_CIPHER',
      'INAPPROPRIATE_FALLBACK',
    )
  )
    return {
      why: 'no version of TLS, or no cipher, is known to both sides',
      hint: 'Allow TLS 1.2 or newer on that server, or on the proxy in front of it.',
    };
  if (is('DH_KEY_TOO_SMALL', 'EE_KEY_TOO_SMALL', 'CA_MD_TOO_WEAK', 'CA_KEY_TOO_SMALL'))
    return {
      why: 'its key or its certificate is too weak to be accepted',
      hint: 'Let it make a new certificate with a key of at least 2048 bits.',
    };
  if (is('BEFORE_SECURE_TLS'))
    return {
      why: 'the connection was closed in the TLS handshake',
      hint: `${named ? '' : `${NAME_HINT} `}Look at the log of that server, or of the proxy in front of it.`,
    };
  if (!/^(ERR_SSL|ERR_TLS)_|^EPROTO$/.test(code)) return null;
  return {
    why: 'the TLS handshake failed',
    hint: 'Look at the log of that server, or of the proxy in front of it.',
  };
}

const COMPARE =
  'Compare the fingerprint on the console of that host and put it into "tls.fingerprints", or name its CA in "tls.caFile".';

/** A certificate that the CAs do not vouch for, by the code that TLS has for it. */
export function distrustTrouble(code: string, certificate: X509Certificate | undefined): TlsTrouble {
  const issuer = /^CN=(.*)$/m.exec(certificate?.issuer ?? '')?.[1];
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return { why: 'it is self-signed', hint: COMPARE };
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return {
        why: `it comes alone, without that of its issuer${issuer ? ` "${issuer}"` : ''}: an intermediate certificate is missing there, or it was issued by an unknown CA`,
        hint: `Let the server, or the proxy in front of it, send its whole chain (its own certificate first, then the intermediate ones). Where its CA is one of your own: ${COMPARE}`,
      };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return { why: 'it was issued by an unknown CA', hint: COMPARE };
    case 'CERT_HAS_EXPIRED':
      return {
        why: `it has expired, or another one of its chain has${certificate ? ` (its own ends on ${certificate.validTo})` : ''}`,
        hint: 'Renew it on that host. Where its own has not ended, let the server, or the proxy in front of it, send the chain that its CA publishes now.',
      };
    case 'CERT_NOT_YET_VALID':
      return {
        why: `it is not valid yet${certificate ? `, only from ${certificate.validFrom}` : ''}`,
        hint: 'Compare the clocks of that host and of this machine.',
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        why: 'it was issued for another name',
        hint: `Use one of its names as the endpoint${certificate?.subjectAltName ? ` (${certificate.subjectAltName})` : ''}. ${COMPARE}`,
      };
    default:
      return { why: code, hint: COMPARE };
  }
}
