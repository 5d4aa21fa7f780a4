import { CONNECTIONS } from '../../src/host/open.js';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { Controller } from '../controller.js';

const ROUND_TRIP_MS = 50;

export const preflight = {
  name: '`preflight`: round trips from the first request to the answer, connections, requests',
  target: 'at most 6 round trips; nothing asked twice; one connection per server and parallel lane',
  how: `Against the lab, with ${ROUND_TRIP_MS} ms added to every request and an agent that takes no time. The time from the first request until the command has ended, over ${ROUND_TRIP_MS} ms. Twice is the same method, path and parameters, the questions for the result of the agent's probe left out. A server has ${CONNECTIONS} lanes; besides, a request that must not be lost (the start of a command in the guest, and the question for its result, which is told once) has a connection of its own, which no idle one can spoil.`,
  async measure() {
    const lab = await startLab({ factor: 1000 });
    try {
      const flight = watch(lab);
      const { code } = await new Controller(args(lab)).ended;
      const ended = performance.now();
      if (code !== 0) throw new Error(`preflight ended with ${code}`);
      const roundTrips = (ended - flight.first) / ROUND_TRIP_MS;
      const asked = lab.record.requests
        .filter(({ path }) => !path.endsWith('/exec-status'))
        .map(({ server, method, path, params }) => `${method} ${server}${path} ${JSON.stringify(params)}`);
      const twice = asked.length - new Set(asked).size;
      const servers = [...lab.cluster.servers, ...[...lab.hosts.values()].map(({ server }) => server)];
      const connections = servers.map(({ name, connections }) => [name, connections] as const);
      const alone = (name: string) =>
        lab.record.requests.filter((request) => request.server === name && isAlone(request));
      const tooMany = connections.filter(([name, opened]) => opened > CONNECTIONS + alone(name).length);
      return {
        roundTrips,
        requests: lab.record.requests.length,
        twice,
        connections: Object.fromEntries(connections.filter(([, opened]) => opened > 0)),
        met: roundTrips <= 6 && twice === 0 && tooMany.length === 0,
      };
    } finally {
      await lab.stop();
    }
  },
};

const args = ({ configPath }: Lab) => ['preflight', '--host', 'pbs01', '--json', '--config', configPath];

const isAlone = ({ method, path }: { method: string; path: string }) =>
  method !== 'GET' || path.endsWith('/exec-status');

/** Slows every request down. @returns when the first came, once it has come */
function watch(lab: Lab): { first: number } {
  const flight = { first: Number.NaN };
  lab.setWeather(() => {
    if (Number.isNaN(flight.first)) flight.first = performance.now();
    return { kind: 'late', ms: ROUND_TRIP_MS };
  });
  return flight;
}
