import type { Answers } from '../host/answers.js';
import { symptomsOf } from '../rules/symptoms.js';
import { about, type SetupFinding } from './finding.js';

/** What shows inside the guest and would hold a run up, or a fence: by the rules that preflight and verify go by. */
export async function examineInside(subject: string, answers: Answers): Promise<SetupFinding> {
  const { pass, warn, block } = about(subject, 'inside');
  const [survey, configs] = await Promise.all([
    answers.survey(),
    answers.pbs.datastoreConfigs().catch(() => null),
  ]);
  const stores = new Map(configs?.datastores.map(({ name, path }) => [name, path]));
  const found = symptomsOf(survey, stores);
  if (found.length === 0) return pass('nothing is wrong inside the guest');
  const steps = found.flatMap((each) => each.steps);
  const rest = {
    hint: [...new Set(steps.map(({ text }) => text))].join(' '),
    fixes: [
      { where: answers.target.host, commands: [...new Set(steps.flatMap(({ command }) => command ?? []))] },
    ],
  };
  return (found.some(({ blocks }) => blocks) ? block : warn)(
    found.map(({ summary }) => summary).join('; '),
    rest,
  );
}
