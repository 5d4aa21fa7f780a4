import { createServer } from 'node:https';
import { createServer as createTcp, type Socket } from 'node:net';
import { makeCertificate } from '../../src/lab/certificate.js';

// A process that is any number of PBS hosts and PVE clusters: each address of 127.0.0.0/8 is a server of
// its own, all on one port. It knows no state, only answers, each as late as the round trip says; a new
// connection costs two round trips more (TCP and TLS). Prints its port and fingerprint as JSON.

const roundTripMs = Number(process.argv[2] ?? 50);
const { key, cert, fingerprint } = await makeCertificate('fleet');
const counts = { connections: 0, requests: 0 };

const server = createServer({ key, cert }, (request, response) => {
  counts.requests += 1;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://here');
  const path = pathname.replace('/api2/json', '');
  const data = longAnswerTo(path, searchParams, request.method) ?? answerTo(path);
  setTimeout(() => {
    response.statusCode = data === undefined ? 404 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ data: data ?? null }));
  }, roundTripMs);
});

const front = createTcp({ noDelay: true }, (socket: Socket) => {
  counts.connections += 1;
  socket.on('error', () => {});
  setTimeout(() => server.emit('connection', socket), 2 * roundTripMs);
});
front.listen(0, '0.0.0.0', () => {
  const address = front.address();
  if (address && typeof address === 'object')
    console.log(JSON.stringify({ port: address.port, fingerprint }));
});
process.on('SIGTERM', () => {
  console.log(JSON.stringify(counts));
  process.exit(0);
});

const LOG_LINES = 1_000_000;
const ARCHIVED_TASKS = 100_000;

/** A task log and a task archive without end, as far as they are read. */
function longAnswerTo(path: string, asked: URLSearchParams, method = 'GET'): unknown {
  const limit = Number(asked.get('limit') ?? 50);
  if (method === 'POST' && path.endsWith('/apt/update')) return upid(0);
  if (/\/tasks\/[^/]+\/status$/.test(path)) return { status: 'stopped', exitstatus: 'OK' };
  if (/\/tasks\/[^/]+\/log$/.test(path)) {
    const start = Number(asked.get('start') ?? 1);
    const count = Math.max(0, Math.min(limit, LOG_LINES - start + 1));
    return Array.from({ length: count }, (_, index) => ({
      n: start + index,
      t: `Get:${start + index} http://deb.example.net/debian trixie/main amd64 Packages [9,668 kB]`,
    }));
  }
  const finished = path.endsWith('/tasks') && !asked.get('running') && asked.get('source') !== 'active';
  if (!finished || roundTripMs > 0) return undefined;
  return Array.from({ length: Math.min(limit, ARCHIVED_TASKS) }, (_, index) => ({
    upid: upid(index),
    node: 'pve1',
    worker_type: 'backup',
    type: 'vzdump',
    worker_id: `tank:vm/${index}`,
    id: `${index}`,
    user: 'root@pam',
    starttime: 1_764_000_000 - index * 60,
    endtime: 1_764_000_030 - index * 60,
    status: 'OK',
  }));
}

const upid = (index: number) =>
  `UPID:pve1:0000ABCD:0000ABCD:00000001:${index.toString(16).padStart(8, '0')}:vzdump:1:root@pam:`;

function answerTo(path: string): unknown {
  if (path === '/version') return { version: '4.2', release: '3', repoid: 'a'.repeat(40) };
  if (path.endsWith('/time')) {
    const time = Math.floor(Date.now() / 1000);
    return { timezone: 'UTC', time, localtime: time };
  }
  if (path.endsWith('/localhost/status')) return NODE_STATUS;
  if (path.endsWith('/apt/update')) return UPDATES;
  if (path.endsWith('/apt/versions')) return PACKAGES;
  if (path.endsWith('/tasks')) return [];
  if (path === '/admin/datastore') return STORES.map((store) => ({ store, ...KIND }));
  if (path === '/status/datastore-usage')
    return STORES.map((store) => ({ store, ...KIND, total: 2e12, used: 8e11, avail: 1.2e12 }));
  if (path === '/cluster/resources') return GUESTS;
  if (/\/qemu\/\d+\/config$/.test(path))
    return { name: 'pbs', agent: '1', tags: 'pbs', digest: 'fe24ab4568dd5ebb5f7969e6df312f8f908dbb69' };
  return undefined;
}

const STORES = ['tank', 'vault'];
const KIND = { 'mount-status': 'nonremovable', 'backend-type': 'filesystem' };
const NODE_STATUS = {
  uptime: 1_814_401,
  root: { total: 32e9, used: 6e9, avail: 26e9 },
  'current-kernel': { sysname: 'Linux', release: '6.17.2-1-pve', version: '#1 SMP', machine: 'x86_64' },
  kversion: 'Linux 6.17.2-1-pve #1 SMP',
  info: { fingerprint: fingerprint.toLowerCase() },
  'boot-info': { mode: 'efi', secureboot: false },
};
const aPackage = (name: string, version: string) => ({
  Package: name,
  Title: name,
  Arch: 'amd64',
  Description: `${name} and what belongs to it`,
  Origin: 'Debian',
  Priority: 'optional',
  Section: 'admin',
  Version: version,
  OldVersion: '1.0-1',
});
const UPDATES = Array.from({ length: 60 }, (_, index) => aPackage(`package-${index}`, '1.0-2'));
const PACKAGES = [
  { ...aPackage('proxmox-backup', 'unknown'), ExtraInfo: 'running kernel: 6.17.2-1-pve' },
  {
    ...aPackage('proxmox-backup-server', '4.2.3-1'),
    OldVersion: '4.2.2-1',
    ExtraInfo: 'running version: 4.2.3',
  },
  ...UPDATES,
];
// A cluster of some size: its list of guests is what a lock look has to read.
const GUESTS = Array.from({ length: 300 }, (_, index) => ({
  id: `qemu/${100 + index}`,
  type: 'qemu',
  vmid: 100 + index,
  node: `pve${1 + (index % 3)}`,
  name: `vm${index}`,
  status: 'running',
  template: 0,
  uptime: 86_400,
  tags: 'prod',
}));
