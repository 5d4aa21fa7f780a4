/** What `recover` can do by itself, in the order in which it is done. */
export const RECOVER_FLAGS = [
  'start-vm',
  'reset-vm',
  'mount',
  'repair-packages',
  'restart-services',
  'lift-fence',
  'release-lock',
] as const;
export type RecoverFlag = (typeof RECOVER_FLAGS)[number];

/** One thing to do. */
export interface Step {
  readonly text: string;
  /** The flag of `recover` that does it, where one can. */
  readonly flag: RecoverFlag | null;
  /** A command to run or an address to open, where that is it. */
  readonly command: string | null;
}

export const todo = (text: string): Step => ({ text, flag: null, command: null });
export const byFlag = (text: string, flag: RecoverFlag): Step => ({ text, flag, command: null });
export const byCommand = (text: string, command: string | null): Step => ({ text, flag: null, command });
