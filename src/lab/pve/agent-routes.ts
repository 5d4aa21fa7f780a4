import { AgentError, type Machine } from '../machine/machine.js';
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
  const simple = (method: 'GET' | 'POST', command: string, act: (machine: Machine) => unknown): PveRoute => ({
    method,
    path: path(command),
    needs: needs('VM.GuestAgent.Audit'),
    proxied: true,
    handle: async ({ params }) => {
      const machine = await machineOf(params);
      try {
        return { result: act(machine) };
      } catch (error) {
        if (error instanceof AgentError)
          return { result: { error: { class: 'CommandNotFound', desc: error.desc } } };
        throw error;
      }
    },
  });
  return [
    simple('POST', 'ping', () => ({})),
    {
      ...simple('POST', 'fsfreeze-status', (machine) => (machine.agent.frozen ? 'frozen' : 'thawed')),
      needs: needs('VM.GuestAgent.Audit', 'VM.GuestAgent.FileSystemMgmt'),
    },
    simple('GET', 'info', (machine) => machine.info()),
    simple('GET', 'get-osinfo', (machine) => machine.osinfo()),
    simple('GET', 'get-fsinfo', (machine) => machine.fsinfo()),
    simple('GET', 'get-host-name', (machine) => ({ 'host-name': machine.name })),
    {
      method: 'POST',
      path: path('exec'),
      params: { command: { type: 'array' }, 'input-data': optional(text) },
      needs: needs(),
      proxied: true,
      handle: async ({ params }) => {
        const machine = await machineOf(params);
        const command = Array.isArray(params.command) ? params.command.map(String) : [String(params.command)];
        return refusing(() => ({
          pid: machine.exec(
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
        return refusing(() => {
          const state = machine.execStatus(Number(params.pid));
          if (!state.exited) return { exited: 0 };
          // Each byte becomes one character: what is not ASCII arrives as Latin-1.
          return {
            exited: 1,
            ...(state.exitcode === undefined ? {} : { exitcode: state.exitcode }),
            ...(state.signal === undefined ? {} : { signal: state.signal }),
            ...(state.out?.length ? { 'out-data': state.out.toString('latin1'), 'out-truncated': 0 } : {}),
            ...(state.err?.length ? { 'err-data': state.err.toString('latin1'), 'err-truncated': 0 } : {}),
          };
        });
      },
    },
    {
      method: 'GET',
      path: path('file-read'),
      params: { file: text, ...(old ? {} : { count: optional(whole), offset: optional(whole) }) },
      needs: needs('VM.GuestAgent.FileRead'),
      proxied: true,
      handle: async ({ params }) => {
        const machine = await machineOf(params);
        return refusing(() => {
          const content = machine.readFile(String(params.file));
          return { content: content.toString('latin1'), 'bytes-read': content.length };
        });
      },
    },
  ];
}

/** Simulated seconds until PVE gives up on an agent that does not answer its ping. */
const PING_LIMIT = 3;

async function available(cluster: PveCluster, params: Readonly<Record<string, unknown>>): Promise<Machine> {
  const guest = guestAt(cluster, params, 'qemu');
  if (guest.config.agent === undefined) throw new PveError('No QEMU guest agent configured');
  const { machine } = guest;
  if (machine?.power !== 'running') throw new PveError(`VM ${guest.vmid} is not running`);
  if (machine.agent.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, machine.agent.delayMs));
  if (!machine.agentAnswers) {
    await cluster.time.sleep(PING_LIMIT);
    throw new PveError('QEMU guest agent is not running');
  }
  return machine;
}

function refusing<Value>(act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    if (error instanceof AgentError) throw new PveError(`Agent error: ${error.desc}`);
    throw error;
  }
}
