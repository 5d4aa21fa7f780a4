import type { InjectedFault } from '../src/lab/https.js';
import type { Lab } from '../src/lab/lab.js';
import type { Controller } from './controller.js';
import type { Random } from './random.js';

/** Something that goes wrong when the servers of the lab have seen this many requests. */
export interface Fault {
  readonly at: number;
  readonly name: FaultName;
}

const PROXY_PAGE = '<html><body><h1>502 Bad Gateway</h1></body></html>';
const instead = (status: number, reason: string, body = ''): InjectedFault => ({
  kind: 'answered-instead',
  reply: { status, reason, body },
});

/** What befalls the request itself. */
const OF_REQUESTS = {
  'cut-before': () => ({ kind: 'cut-before' }),
  'cut-after': () => ({ kind: 'cut-after' }),
  'cut-within': () => ({ kind: 'cut-within' }),
  swallowed: () => ({ kind: 'swallowed' }),
  late: () => ({ kind: 'late', ms: 1200 }),
  'proxy-page': () => instead(502, 'Bad Gateway', PROXY_PAGE),
  'error-500': () => instead(500, 'Internal Server Error'),
  'error-595': () => instead(595, 'No route to host'),
  'error-596': () => instead(596, 'Connection timed out'),
  'error-599': () => instead(599, 'Too many redirections'),
  'empty-answer': () => instead(200, 'OK', ''),
} as const satisfies Record<string, () => InjectedFault>;

type Strike = (lab: Lab, controller: () => Controller) => void;

/** What befalls everything else at that moment. */
const STRIKES = {
  killed: (_, controller) => controller().kill('SIGKILL'),
  terminated: (_, controller) => controller().kill('SIGTERM'),
  paused: (_, controller) => {
    const held = controller();
    held.kill('SIGSTOP');
    setTimeout(() => held.kill('SIGCONT'), 1500);
  },
  'agent-restarts': (lab) => lab.hosts.get('pbs01')?.machine.restartAgent(),
  'node-gone': (lab) => {
    const [server] = lab.cluster.servers;
    server?.goDark('refuse');
    setTimeout(() => void server?.comeBack(), 1500);
  },
  'node-silent': (lab) => {
    const [server] = lab.cluster.servers;
    server?.goDark('drop');
    setTimeout(() => void server?.comeBack(), 1500);
  },
  'tag-erased': (lab) => {
    const guest = lab.cluster.guests.get(900);
    if (guest) lab.cluster.storeTags(guest, ['pbs']);
  },
  'backup-starts': (lab) => startBackup(lab),
  'tags-edited': (lab) => {
    const guest = lab.cluster.guests.get(900);
    if (guest) lab.cluster.storeTags(guest, [...(guest.config.tags ?? '').split(';'), 'edited']);
  },
} as const satisfies Record<string, Strike>;

export type FaultName = keyof typeof OF_REQUESTS | keyof typeof STRIKES;
const NAMES = [...Object.keys(OF_REQUESTS), ...Object.keys(STRIKES)] as [FaultName, ...FaultName[]];
const REQUESTS = 230;

export function drawFaults(random: Random): Fault[] {
  return Array.from({ length: random.between(1, 4) }, () => ({
    at: random.between(1, REQUESTS),
    name: random.oneOf(NAMES),
  })).sort((a, b) => a.at - b.at);
}

/** Lets the faults happen in a lab; what befalls a request befalls those that come at the same moment only once. */
export function unleash(lab: Lab, faults: readonly Fault[], controller: () => Controller): void {
  const left = [...faults];
  let seen = 0;
  lab.setWeather(() => {
    seen += 1;
    const index = left.findIndex(({ at }) => at <= seen);
    const [fault] = index < 0 ? [] : left.splice(index, 1);
    if (!fault) return null;
    if (fault.name in OF_REQUESTS) return OF_REQUESTS[fault.name as keyof typeof OF_REQUESTS]();
    (STRIKES[fault.name as keyof typeof STRIKES] as Strike)(lab, controller);
    return null;
  });
}

/** As a client would: refused while the datastore is fenced. */
function startBackup(lab: Lab): void {
  const host = lab.hosts.get('pbs01');
  const tank = host?.datastores.find(({ name }) => name === 'tank');
  if (!host || tank?.maintenance !== null || host.machine.phase !== 'up') return;
  host.startTask({ type: 'backup', id: 'tank:vm/101', store: 'tank', access: 'write', seconds: 60 });
}
