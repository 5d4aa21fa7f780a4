import { EXIT, Fault } from '../fault.js';
import { startLab } from '../lab/lab.js';
import { SCENARIOS } from '../lab/scenario.js';
import { slackText } from '../lab/slack-text.js';
import type { Command } from './context.js';

export interface LabOptions {
  readonly dir?: string;
  readonly scenario: string;
  readonly factor: string;
  readonly pve: string;
  readonly pbs: string;
  readonly list?: boolean;
}

/** Starts the lab and keeps it until a signal. */
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
    factor: positive(options.factor),
    pve: choice(options.pve, ['8.4', '9.2'], '--pve'),
    pbs: choice(options.pbs, ['3.4', '4.0', '4.1', '4.2'], '--pbs'),
    ...(options.dir === undefined ? {} : { dir: options.dir }),
  });
  // Before it says that it is up: whoever reads that may stop it at once.
  const signalled = new Promise<void>((resolve) => {
    const off = context.world.onSignal(() => {
      off();
      resolve();
    });
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
  // On stderr: on stdout stands the one document, or what a script reads the config from.
  running.slack.onMessage = (message) => context.world.stderr.write(`\nSlack got:\n${slackText(message)}\n`);
  await signalled;
  await running.stop();
  return EXIT.done;
};

export function scenarioName(name: string): string {
  if (SCENARIOS.some((scenario) => scenario.name === name)) return name;
  throw new Fault('usage.scenario', `The lab has no scenario "${name}".`, {
    hint: 'See pbs-ctl lab --list.',
    exitCode: EXIT.usage,
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 1) return value;
  throw new Fault('usage.factor', `--factor "${text}" is no number of at least 1.`, { exitCode: EXIT.usage });
}

function choice<const Value extends string>(text: string, values: readonly Value[], option: string): Value {
  const found = values.find((value) => value === text);
  if (found) return found;
  throw new Fault('usage.version', `${option} "${text}" is not known.`, {
    hint: `One of: ${values.join(', ')}.`,
    exitCode: EXIT.usage,
  });
}
