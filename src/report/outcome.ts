import type { Outcome } from '../config/schema.js';
import type { Tone } from './layout.js';

/** How an outcome is coloured and put into words. Colour alone never says it. */
export const OUTCOME: Readonly<Record<Outcome, { readonly tone: Tone; readonly words: string }>> = {
  patched: { tone: 'good', words: 'patched' },
  checked: { tone: 'good', words: 'checked, safe to patch' },
  postponed: { tone: 'careful', words: 'postponed, not safe now' },
  'reboot-pending': { tone: 'careful', words: 'reboot pending, packages are installed' },
  failed: { tone: 'bad', words: 'failed' },
  unverified: { tone: 'bad', words: 'unverified: rebooted, but not as it was before' },
  interrupted: { tone: 'careful', words: 'interrupted' },
  abandoned: { tone: 'careful', words: 'abandoned' },
};
