import { fingerprintIn } from '../api/certificate.js';
import { type Guest, runReading, sh } from './exec.js';

const SCRIPT = 'timeout 5 openssl s_client -connect 127.0.0.1:8007 </dev/null 2>/dev/null; exit 0';

/**
 * Fingerprint of the certificate that the PBS in a guest serves there, whatever proxy may stand before it. Null where
 * it cannot be had: there is no openssl, or nothing listens.
 */
export async function servedInGuest(guest: Guest): Promise<string | null> {
  try {
    const { stdout } = await runReading(guest, sh(SCRIPT), 10_000, 2);
    return fingerprintIn(stdout);
  } catch {
    return null;
  }
}
