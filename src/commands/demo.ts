import { startLab } from '../lab/lab.js';
import { slackText } from '../lab/slack-text.js';
import { type Command, contextOf } from './context.js';
import { scenarioName } from './lab.js';
import { patch } from './patch.js';

/** The lab, one `patch` of pbs01 in it, and the Slack message of that. */
export const demo: Command<{ scenario: string }> = async (context, { scenario }): Promise<number> => {
  const { world, options } = context;
  const lab = await startLab({ scenario: scenarioName(scenario), factor: 10 });
  const quiet = options.json === true;
  if (!quiet) {
    world.stdout.write(
      `The lab is up: three PVE nodes and two PBS hosts, scenario "${scenario}".\n` +
        `$ pbs-ctl patch --host pbs01 --config ${lab.configPath}\n\n`,
    );
  }
  try {
    const exitCode = await patch(contextOf(world, { ...options, config: lab.configPath }), PLAIN);
    if (!quiet)
      world.stdout.write(`\nWhat Slack got:\n${lab.slack.messages.map(slackText).join('\n')}\n${NEXT}`);
    return exitCode;
  } finally {
    await lab.stop();
  }
};

const NEXT = `
What to try next:
  A run that is postponed:
    pbs-ctl demo --scenario backup-running
  A VM that stays off after the reboot, and needs recover. The lab keeps running;
  it names the config for patch and recover in another terminal:
    pbs-ctl lab --scenario stays-off
  Every other scenario:
    pbs-ctl lab --list
`;

/** `--host pbs01` and nothing else. */
const PLAIN = {
  host: ['pbs01'],
  all: undefined,
  check: undefined,
  abandon: undefined,
  keepGoing: undefined,
  plan: undefined,
  reboot: undefined,
  wait: undefined,
  events: undefined,
  ignoreWindow: undefined,
  accept: undefined,
  parallel: undefined,
};
