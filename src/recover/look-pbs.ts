import { hostState } from '../checks/host-state.js';
import { errorDocument } from '../fault.js';
import { runOfFence } from '../fence/mark.js';
import type { Host } from '../host/open.js';
import type { Baseline } from '../journal/records.js';
import type { Sight } from './sight.js';

const PROBE_MS = 5000;

export type PbsSight = Pick<
  Sight,
  'proxy' | 'daemon' | 'apiError' | 'servicesDown' | 'datastores' | 'fences' | 'foreignModes'
>;

const SILENT: PbsSight = {
  proxy: 'silent',
  daemon: 'unknown',
  apiError: null,
  servicesDown: [],
  datastores: [],
  fences: [],
  foreignModes: [],
};

/** PBS itself: its proxy, the daemon behind it, services, datastores, maintenance modes. */
export async function lookAtPbs({ pbs, answers }: Host, baseline: Baseline | null): Promise<PbsSight> {
  try {
    await pbs.probe(PROBE_MS);
  } catch (error) {
    const apiError = errorDocument(error);
    const answered = apiError.code.startsWith('api.') || apiError.code === 'net.untrusted';
    return { ...SILENT, apiError, proxy: answered ? 'refuses' : 'silent' };
  }
  const [daemon, modes, state, services] = await Promise.allSettled([
    pbs.daemonAnswers(PROBE_MS),
    pbs.datastores(),
    hostState(answers(null)),
    pbs.services(),
  ]);
  const failed = [modes, state, services].find((each) => each.status === 'rejected');
  const listed = answerOf(modes) ?? [];
  const down = (answerOf(services) ?? []).filter(
    (each) =>
      each.state !== 'running' &&
      (baseline ? baseline.services.includes(each.name) : each.unitState === 'enabled'),
  );
  return {
    proxy: 'answers',
    daemon:
      daemon.status === 'fulfilled'
        ? 'answers'
        : errorDocument(daemon.reason).code.startsWith('api.')
          ? 'unknown' // refused, so it cannot be told
          : 'silent',
    apiError: failed ? errorDocument(failed.reason) : null,
    servicesDown: down.map(({ name }) => name),
    datastores: answerOf(state)?.datastores ?? [],
    fences: listed.flatMap(({ name, maintenance }) => {
      const run = runOfFence(maintenance);
      return run === null ? [] : [{ datastore: name, run }];
    }),
    foreignModes: listed.flatMap(({ name, maintenance }) =>
      maintenance && runOfFence(maintenance) === null ? [{ datastore: name, ...maintenance }] : [],
    ),
  };
}

const answerOf = <Value>(settled: PromiseSettledResult<Value>): Value | null =>
  settled.status === 'fulfilled' ? settled.value : null;
