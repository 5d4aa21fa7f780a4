import type { Config } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import type { Target } from '../config/target.js';
import type { World } from '../world.js';
import { examineSecret, examineServer } from './connect.js';
import { examineHere, type Here } from './controller.js';
import type { Diagnosis } from './diagnosis.js';
import { examineCluster } from './doctor-cluster.js';
import { examineHost } from './doctor-host.js';
import { askSlack, judgeSlack } from './slack.js';

/** Everything that set-up can get wrong, for these hosts and the clusters they have to do with. Changes nothing. */
export async function examine(here: Here, targets: readonly Target[], world: World): Promise<Diagnosis[]> {
  const names = [...new Set(targets.flatMap(({ clusters }) => clusters))].sort();
  const [local, receivers, clusters] = await Promise.all([
    examineHere(here),
    examineReceivers(here.config, here.path, world),
    Promise.all(names.map((name) => examineCluster(name, here, targets, world))),
  ]);
  const usable = new Map(names.map((name, index) => [name, clusters[index]?.usable === true]));
  const hosts = await Promise.all(targets.map((target) => examineHost(target, here, usable, world)));
  return [...local, ...clusters.flatMap(({ diagnoses }) => diagnoses), ...hosts.flat(), ...receivers];
}

async function examineReceivers({ notify }: Config, path: string, world: World): Promise<Diagnosis[]> {
  const { slack, webhook } = notify;
  return [
    ...(slack ? [await examineSlack(slack, world)] : []),
    ...(webhook ? await examineWebhook(webhook, path, world) : []),
  ];
}

async function examineSlack(
  { webhook }: NonNullable<Config['notify']['slack']>,
  world: World,
): Promise<Diagnosis> {
  const missing = await examineSecret('notify', webhook, world);
  if (missing) return { ...missing, topic: 'slack' };
  const url = (await readSecret(webhook, world)).reveal();
  return judgeSlack(url, await askSlack(url));
}

/** Nothing is posted: a receiver could take any document for a report. */
async function examineWebhook(
  { url, secret }: NonNullable<Config['notify']['webhook']>,
  path: string,
  world: World,
): Promise<Diagnosis[]> {
  const missing = await examineSecret('notify', secret, world);
  const place = {
    subject: 'notify',
    product: 'pve',
    where: '',
    tls: {},
    config: { path, place: '' },
  } as const;
  const server = url.startsWith('https:') ? await examineServer(new URL(url).origin, place, world) : null;
  return [
    ...(missing ? [{ ...missing, topic: 'webhook' as const }] : []),
    ...(server ? [{ ...server, topic: 'webhook' as const, mends: [] }] : []),
  ];
}
