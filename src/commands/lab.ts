import { nearest } from '../config/target.js';
import { EXIT, Fault } from '../fault.js';
import { startLab } from '../lab/lab.js';
import { SCENARIOS } from '../lab/scenario.js';
import { slackText } from '../lab/slack-text.js';
import type { Command } from './context.js';

interface LabOptions {
  readonly dir: string | undefined;
  readonly scenario: string;
  readonly factor: number;
  readonly pve: '8.4' | '9.2';
  readonly pbs: '3.4' | '4.0' | '4.1' | '4.2';
  readonly list: boolean | undefined;
}

/** Runs the lab until a signal. */
export const lab: Command<LabOptions> = async (context, options) => {
  if (options.list) {
    const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
    context.answer(
      { scenarios: SCENARIOS.map(({ name, description, expected }) => ({ name, description, expected })) },
      SCENARIOS.map(
        ({ name, description, expected }) => `${name.padEnd(width)}  ${description} -> ${expected}`,
      ).join('\n'),
    );
    return EXIT.done;
  }
  const running = await startLab({
    scenario: scenarioName(options.scenario),
    factor: options.factor,
    pve: options.pve,
    pbs: options.pbs,
    ...(options.dir === undefined ? {} : { dir: options.dir }),
  });
  // Before the answer: its reader may stop the lab at once.
  const unheed = context.world.heedSignals();
  const signalled = new Promise<void>((resolve) => {
    context.world.stop.addEventListener('abort', () => resolve(), { once: true });
  });
  context.answer(
    { config: running.configPath, dir: running.dir, scenario: options.scenario },
    [
      `The lab is up (scenario ${options.scenario}). It stops with Ctrl-C. In another terminal:`,
      '',
      `  pbs-ctl preflight --host pbs01 --config ${running.configPath}`,
      `  pbs-ctl patch --host pbs01 --config ${running.configPath}`,
    ].join('\n'),
  );
  // On stderr: stdout is for the answer.
  running.slack.onMessage = (message) => context.world.stderr.write(`\nSlack got:\n${slackText(message)}\n`);
  await signalled;
  unheed();
  await running.stop();
  return EXIT.done;
};

export function scenarioName(name: string): string {
  if (SCENARIOS.some((scenario) => scenario.name === name)) return name;
  const near = nearest(
    name,
    SCENARIOS.map((scenario) => scenario.name),
  );
  throw new Fault('usage', `The lab has no scenario "${name}".`, {
    hint: [...(near ? [`Did you mean "${near}"?`] : []), 'All of them:', 'pbs-ctl lab --list'].join('\n'),
    exitCode: EXIT.usage,
  });
}
