import type { Finding, Phase } from '../journal/document.js';

/** What the product tells a person while it works. */
export type Progress =
  | {
      readonly kind: 'begun';
      readonly host: string;
      readonly runId: string;
      readonly mode: 'patch' | 'check';
      /** It goes on with a run that was left unfinished. */
      readonly resumed: boolean;
    }
  | {
      readonly kind: 'phase';
      readonly host: string;
      readonly phase: Phase;
      readonly status: 'started' | 'done' | 'skipped' | 'failed';
      readonly text: string;
    }
  | { readonly kind: 'check'; readonly host: string; readonly finding: Finding }
  | {
      readonly kind: 'note';
      readonly host: string;
      readonly level: 'info' | 'warning';
      readonly text: string;
    }
  /** `percent` 0 to 100, or null where only the text is known. Replaces the last step of the same label. */
  | {
      readonly kind: 'step';
      readonly host: string;
      readonly label: string;
      readonly percent: number | null;
      readonly text: string;
    };

export interface Reporter {
  tell(progress: Progress): void;
  /** Leaves the terminal in order; called once at the end. */
  end(): void;
}
