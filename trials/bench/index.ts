import { againstAnsible } from './against-ansible.js';
import { fleetStatus } from './fleet-status.js';
import { idle } from './idle.js';
import { installed } from './installed.js';
import { inventory } from './inventory.js';
import { lockWrites } from './lock-writes.js';
import { longAnswers } from './long-answers.js';
import { manyJobs } from './many-jobs.js';
import { preflight } from './preflight.js';
import { rebootDetection } from './reboot-detection.js';
import { startUp } from './start-up.js';
import { wholePatch } from './whole-patch.js';

export interface Measure {
  readonly name: string;
  readonly target: string;
  /** How the figure is obtained. */
  readonly how: string;
  /** Figures, and whether they meet the target; null where it could not be measured here. */
  measure(): Promise<{ readonly met: boolean | null }>;
}

export const MEASURES: Readonly<Record<string, Measure>> = {
  'start-up': startUp,
  preflight,
  'whole-patch': wholePatch,
  idle,
  installed,
  inventory,
  'reboot-detection': rebootDetection,
  'lock-writes': lockWrites,
  'fleet-status': fleetStatus,
  'many-jobs': manyJobs,
  'long-answers': longAnswers,
  'against-ansible': againstAnsible,
};
