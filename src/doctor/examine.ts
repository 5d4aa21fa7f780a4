import { connect } from 'node:net';
import { lookAtCertificate } from '../api/certificate.js';
import type { Config } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import { CHECKS } from '../preflight/catalogue.js';
import { runChecks } from '../preflight/check.js';
import type { Finding } from '../report/document.js';
import type { Site } from '../site.js';
import type { World } from '../world.js';
import { finding, judgeCertificate, judgePower } from './findings.js';

/** Checks that say whether everything is set up, whatever happens on the host just now. */
const SET_UP = new Set([
  'pbs.api',
  'pbs.access',
  'pbs.apt',
  'pve.api',
  'pve.access',
  'guest.vm',
  'guest.agent',
  'lock.available',
  'clock.skew',
]);

/** Everything that has to be in place for one host, each with what mends it. */
export async function examine(site: Site, config: Config, world: World): Promise<Finding[]> {
  const { target, clusters, pbs } = site;
  const { requestTimeout } = target.policy;
  const now = world.clock.now();
  const certificate = (id: string, endpoint: string, pinned: readonly string[] | undefined) =>
    attempt(id, async () =>
      judgeCertificate(id, endpoint, await lookAtCertificate(endpoint, requestTimeout), pinned, now),
    );
  const parts = await Promise.all([
    certificate('pbs.certificate', target.config.endpoint, target.config.tls.fingerprints),
    ...clusters.flatMap(({ config: { endpoints, tls } }) =>
      endpoints.map((endpoint) => certificate('pve.certificate', endpoint, tls.fingerprints)),
    ),
    runChecks(
      CHECKS.filter(({ id }) => SET_UP.has(id)),
      site.facts(null),
    ),
    // What is inherited below "/" shows on a path that no role of the README names.
    attempt('pbs.power', async () =>
      judgePower('pbs', target.config.token, '/access', await pbs.permissions('/access')),
    ),
    ...clusters.map(({ pve, config: { token } }) =>
      attempt('pve.power', async () => judgePower('pve', token, '/', await pve.permissions('/'))),
    ),
    slack(config, world),
  ]);
  return parts.flat();
}

async function attempt(id: string, act: () => Promise<Finding>): Promise<Finding> {
  try {
    return await act();
  } catch (error) {
    const { code, message, hint } = errorDocument(error);
    return finding(id, 'block', message, { error: code, hint });
  }
}

/** Opens a connection and closes it: no message is sent. */
function slack({ notify }: Config, world: World): Promise<Finding> {
  const reference = notify.slack?.webhook;
  if (!reference) return Promise.resolve(finding('slack', 'skip', 'Slack is not configured'));
  return attempt('slack', async () => {
    const { hostname, port, protocol } = new URL((await readSecret(reference, world)).reveal());
    await reach(hostname.replace(/^\[|\]$/g, ''), Number(port || (protocol === 'https:' ? 443 : 80)));
    return finding('slack', 'pass', `${hostname} can be reached; no message was sent`);
  });
}

const REACH_MS = 10_000;

function reach(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve();
    });
    socket.setTimeout(REACH_MS, () =>
      socket.destroy(new Error(`${host} does not answer within ${REACH_MS / 1000} s`)),
    );
    socket.on('error', (error) => reject(new Error(`${host} cannot be reached: ${error.message}`)));
  });
}
