import { EXIT } from '../fault.js';
import type { Diagnosis } from '../setup/diagnosis.js';
import { examine } from '../setup/doctor.js';
import { diagnosesText } from '../setup/doctor-text.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

/** Exit 0 when nothing stands in the way of a run (warnings do not), 1 when something does, 2 for the config itself. */
export const doctor: Command<HostOptions> = async (context, options) => {
  const { world, color } = context;
  const here = await load(context);
  const diagnoses = await examine(here, targetsOf(here.config, options, true), world);
  context.answer(
    doctorDocument(diagnoses),
    diagnosesText(diagnoses, { color, columns: world.stdout.columns }),
  );
  return isWell(diagnoses) ? EXIT.done : EXIT.failed;
};

const isWell = (diagnoses: readonly Diagnosis[]) => diagnoses.every(({ status }) => status !== 'block');

export const doctorDocument = (diagnoses: readonly Diagnosis[]) => ({
  ok: isWell(diagnoses),
  findings: diagnoses,
});
