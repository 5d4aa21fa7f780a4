import type { Step } from '../rules/steps.js';

/** What is wrong with a layer in one sentence, and what to do. */
export interface Trouble {
  readonly problem: string;
  readonly steps: readonly Step[];
  /** What remains where none of them is the right one. */
  readonly last?: readonly Step[];
}

export const list = (names: readonly string[]): string => names.join(', ');
export const trouble = (problem: string, ...steps: Step[]): Trouble => ({ problem, steps });
