import type { Inside } from '../../src/guest/inside.js';
import type { ObservedHost, ObservedVm } from '../../src/recover/observed.js';
import { NO_SYMPTOMS } from '../guest/no-symptoms.js';

export const VM: ObservedVm = {
  vmid: 900,
  cluster: 'main',
  node: 'pve1',
  nodeOnline: true,
  nodeError: null,
  status: 'running',
  qmpStatus: 'running',
  lock: null,
  consoleUrl: 'https://pve1:8006/?console=kvm&novnc=1&vmid=900&node=pve1&resize=off',
};
export const INSIDE: Inside = {
  ...NO_SYMPTOMS,
  kernel: '6.14.8-2-pve',
  kernels: ['6.14.8-2-pve'],
  uptimeSeconds: 3600,
  state: 'running',
  rootAvailableBytes: 20e9,
  upgrading: [],
  journal: [],
};
export const WELL: ObservedHost = {
  host: 'pbs01',
  busy: null,
  vm: VM,
  vmError: null,
  agent: 'answers',
  agentError: null,
  inside: INSIDE,
  proxy: 'answers',
  daemon: 'answers',
  apiError: null,
  servicesDown: [],
  datastores: [{ name: 'tank', state: 'ok', total: 1, used: 0, available: 1 }],
  stores: [['tank', '/mnt/tank']],
  fences: [],
  foreignModes: [],
  locks: [],
  foreignLocks: [],
  unknownLocks: [],
  runs: [],
  verification: { ok: true, findings: [] },
  unfinishedRun: null,
  resumption: null,
  changed: { kernel: null, packages: [] },
};

export const vm = (differs: Partial<ObservedVm>): Partial<ObservedHost> => ({ vm: { ...VM, ...differs } });
export const inside = (differs: Partial<Inside>): Partial<ObservedHost> => ({
  inside: { ...INSIDE, ...differs },
});
export const DARK: Partial<ObservedHost> = {
  agent: 'silent',
  inside: null,
  proxy: 'silent',
  daemon: 'unknown',
  datastores: [],
  verification: null,
};
export const fault = (code: string, message: string) => ({ code, message, hint: 'Do this.' });
export const FENCED = { fences: [{ datastore: 'tank', run: 'k3f9x2' }] };
export const RESUMES = {
  unfinishedRun: 'k3f9x2',
  resumption: { kind: 'resume', means: 'it verifies, lifts its fence and releases its lock' },
} as const;
export const LOCK = {
  cluster: 'main',
  owner: 'pbs01',
  run: 'k3f9x2',
  until: '2026-11-23T04:00:00.000Z',
  expired: false,
};
export const RUN = {
  run: 'k3f9x2',
  outcome: 'failed',
  phase: 'wait',
  startedAt: '2026-11-23T02:00:00.000Z',
  lastAt: '2026-11-23T02:10:00.000Z',
  leftBehind: { fenced: [], locks: ['main'] },
  error: null,
  evidence: [],
} as const;
export const broken = (state: string) => [{ name: 'tank', state, total: null, used: null, available: null }];
