import { BEFOREHAND } from './scenarios/beforehand.js';
import { REBOOT } from './scenarios/reboot.js';
import type { Scenario } from './scenarios/scenario.js';
import { UPGRADE } from './scenarios/upgrade.js';

export const SCENARIOS: readonly Scenario[] = [...BEFOREHAND, ...UPGRADE, ...REBOOT];
