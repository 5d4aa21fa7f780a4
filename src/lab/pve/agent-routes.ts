import type { GuestMachine } from '../guest-machine.js';
import { AgentError, AgentSilence } from '../machine/agent.js';
import { optional, text, whole } from '../parameters.js';
import type { PveCluster } from './cluster.js';
import { guestAt } from './guest-routes.js';
import { PveError, type PveRoute } from './server.js';

/** The guest agent as PVE passes it on: its shapes, its limits, its words. */
export function agentRoutes(cluster: PveCluster): PveRoute[] {
  const old = cluster.version === '8.4';
  const needs =
    (...on9: string[]) =>
    (params: Readonly<Record<string, unknown>>) =>
      [`/vms/${params.vmid}`, old ? ['VM.Monitor'] : [...on9, 'VM.GuestAgent.Unrestricted']] as const;
  const path = (command: string) => `/nodes/{node}/qemu/{vmid}/agent/${command}`;
  const machineOf = (params: Readonly<Record<string, unknown>>) => available(cluster, params);
  /** Simple commands answer 200 even when the agent refuses: the refusal is in `result`. */
  const simple = (
    method: 'GET' | 'POST',
    command: string,
    act: (machine: GuestMachine) => unknown,
  ): PveRoute => ({
    method,
    path: path(command),
    needs: needs('VM.GuestAgent.Audit'),
    proxied: true,
    handle: async ({ params }) => {
      const machine = await machineOf(params);
      try {
        return { result: await act(machine) };
      } catch (error) {
        if (error instanceof AgentError)
          return { result: { error: { class: 'CommandNotFound', desc: error.desc } } };
        throw silent(cluster, params, error);
      }
    },
  });
  const routes: PveRoute[] = [
    simple('POST', 'ping', () => ({})),
    {
      ...simple('POST', 'fsfreeze-status', (machine) => machine.freezeState?.() ?? 'thawed'),
      needs: needs('VM.GuestAgent.Audit', 'VM.GuestAgent.FileSystemMgmt'),
    },
    simple('GET', 'info', (machine) => machine.info()),
    simple('GET', 'get-osinfo', (machine) => machine.osinfo()),
    simple('GET', 'get-fsinfo', (machine) => machine.fsinfo()),
    simple('GET', 'network-get-interfaces', ({ vmid }) => [
      {
        name: 'lo',
        'hardware-address': '00:00:00:00:00:00',
        'ip-addresses': [{ 'ip-address-type': 'ipv4', 'ip-address': '127.0.0.1', prefix: 8 }],
      },
      {
        name: 'ens18',
        'hardware-address': 'bc:24:11:00:00:01',
        'ip-addresses': [{ 'ip-address-type': 'ipv4', 'ip-address': `10.0.0.${vmid - 895}`, prefix: 24 }],
      },
    ]),
    simple('GET', 'get-host-name', async (machine) => ({ 'host-name': await machine.hostName() })),
    {
      method: 'POST',
      path: path('exec'),
      params: { command: { type: 'array' }, 'input-data': optional(text) },
      needs: needs(),
      proxied: true,
      handle: async ({ params }) => {
        const machine = await machineOf(params);
        await breaksChannel(cluster, params);
        const command = Array.isArray(params.command) ? params.command.map(String) : [String(params.command)];
        return refusing(cluster, params, async () => ({
          pid: await machine.exec(
            command,
            params['input-data'] === undefined ? undefined : String(params['input-data']),
          ),
        }));
      },
    },
    {
      method: 'GET',
      path: path('exec-status'),
      params: { pid: whole },
      needs: needs(),
      proxied: true,
      handle: async ({ params }) => {
        const machine = await machineOf(params);
        return refusing(cluster, params, async () => {
          const state = await machine.execStatus(Number(params.pid));
          if (!state.exited) return { exited: 0 };
          return {
            exited: 1,
            ...(state.exitcode === undefined ? {} : { exitcode: state.exitcode }),
            ...(state.signal === undefined ? {} : { signal: state.signal }),
            ...stream('out', state.out, state.outTruncated),
            ...stream('err', state.err, state.errTruncated),
          };
        });
      },
    },
    {
      method: 'GET',
      path: path('file-read'),
      params: { file: text, ...(old ? {} : PART) },
      needs: needs('VM.GuestAgent.FileRead'),
      proxied: true,
      handle: async ({ params }) => {
        const machine = await machineOf(params);
        return refusing(cluster, params, async () => {
          const all = await machine.readFile(String(params.file));
          const offset = Number(params.offset ?? 0);
          const content = all.subarray(offset, offset + Number(params.count ?? MOST_BYTES));
          return {
            content: content.toString('latin1'),
            'bytes-read': content.length,
            ...(offset + content.length < all.length ? { truncated: 1 } : {}),
          };
        });
      },
    },
  ];
  return routes.map((route) => troubled(cluster, route));
}

/** The same endpoint, with what befalls commands to this agent. */
function troubled(cluster: PveCluster, route: PveRoute): PveRoute {
  const command = route.path.split('/').at(-1) ?? '';
  return {
    ...route,
    handle: async (call) => {
      const guest = guestAt(cluster, call.params, 'qemu');
      const trouble = guest.agentTrouble?.({ command, params: call.params });
      if (trouble?.instead) throw trouble.instead;
      const answer = await route.handle(call);
      if (trouble?.afterwards) throw trouble.afterwards;
      return answer;
    },
  };
}

const MOST_BYTES = 16 * 1024 * 1024;
const PART = {
  count: optional({ ...whole, min: 1, max: MOST_BYTES }),
  offset: optional({ ...whole, min: 0 }),
};
const ASCII = /^\p{ASCII}*$/u;

/** Anything beyond ASCII in an exec breaks the channel: nothing is answered over it until the agent is restarted. */
async function breaksChannel(
  cluster: PveCluster,
  { vmid, command, 'input-data': input }: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (ASCII.test([command, input ?? ''].flat().join(''))) return;
  cluster.brokenChannels.add(Number(vmid));
  await cluster.time.sleep(5.1);
  throw silent(cluster, { vmid }, new AgentSilence('guest-exec', { closed: false }));
}

/** Each byte becomes one character: what is not ASCII arrives as Latin-1. A silent stream has no key at all. */
function stream(name: 'out' | 'err', bytes: Buffer | undefined, truncated = false) {
  return bytes?.length
    ? { [`${name}-data`]: bytes.toString('latin1'), [`${name}-truncated`]: truncated ? 1 : 0 }
    : {};
}

async function available(
  cluster: PveCluster,
  params: Readonly<Record<string, unknown>>,
): Promise<GuestMachine> {
  const guest = guestAt(cluster, params, 'qemu');
  if (guest.config.agent === undefined) throw new PveError('No QEMU guest agent configured');
  const { machine } = guest;
  if (machine?.power !== 'running') throw new PveError(`VM ${guest.vmid} is not running`);
  if (cluster.brokenChannels.has(guest.vmid)) {
    await cluster.time.sleep(3);
    throw new PveError('QEMU guest agent is not running');
  }
  if (!(await machine.ping())) throw new PveError('QEMU guest agent is not running');
  return machine;
}

async function refusing<Value>(
  cluster: PveCluster,
  params: Readonly<Record<string, unknown>>,
  act: () => Promise<Value>,
): Promise<Value> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AgentError && !ASCII.test(error.desc)) {
      // The words of the agent land in the status line, and break the proxy between the nodes.
      await cluster.time.sleep(5.2);
      throw new PveError('Broken pipe', 596);
    }
    if (error instanceof AgentError) throw new PveError(`Agent error: ${error.desc}`);
    throw silent(cluster, params, error);
  }
}

/** An agent that answered its ping and then not the command: the command may still run. */
function silent(cluster: PveCluster, { vmid }: Readonly<Record<string, unknown>>, error: unknown): unknown {
  if (!(error instanceof AgentSilence)) return error;
  const kind = cluster.version === '8.4' ? 'qmp' : 'qga';
  const why = error.closed ? 'client closed connection' : 'got timeout';
  return new PveError(`VM ${String(vmid)} ${kind} command '${error.command}' failed - ${why}`);
}
