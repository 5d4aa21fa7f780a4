import { EXIT } from '../fault.js';
import { examine } from '../setup/doctor.js';
import { type SetupFinding, setupText } from '../setup/finding.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

/** Exit 0 when nothing blocks a run (warnings do not), 1 when something does, 2 for the config itself. */
export const doctor: Command<HostOptions> = async (context, options) => {
  const { world, style } = context;
  const controller = await load(context);
  const findings = await examine(controller, targetsOf(controller.config, options, true), world);
  context.answer(doctorDocument(findings), setupText(findings, style));
  return isWell(findings) ? EXIT.done : EXIT.failed;
};

const isWell = (findings: readonly SetupFinding[]) => findings.every(({ status }) => status !== 'block');

export const doctorDocument = (findings: readonly SetupFinding[]) => ({
  ok: isWell(findings),
  // `mends` is the old name of `fixes`.
  findings: findings.map((finding) => ({ ...finding, mends: finding.fixes })),
});
