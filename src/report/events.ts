import type { Finding, Phase, RunDocument } from '../journal/document.js';

/** What happens in a run, shown to people by a {@link Reporter} and written for programs as a line of JSON. */
export type Progress = { readonly host: string } & (
  | {
      readonly event: 'begun';
      readonly runId: string;
      readonly mode: RunDocument['mode'];
      /** It continues a run that was left unfinished. */
      readonly resumed: boolean;
    }
  | {
      readonly event: 'phase';
      readonly phase: Phase;
      readonly status: 'started' | 'done' | 'skipped' | 'failed';
      readonly text: string;
    }
  | ({ readonly event: 'check' } & Pick<Finding, 'id' | 'status' | 'summary' | 'retryAfter'>)
  | { readonly event: 'note'; readonly level: 'info' | 'warning'; readonly text: string }
  /** `percent` 0 to 100, or null where only the text is known. Replaces the last step of the same label. */
  | { readonly event: 'step'; readonly label: string; readonly percent: number | null; readonly text: string }
);

/** For one run. */
export interface Reporter {
  emit(progress: Progress): void;
  /** Leaves the terminal in order; called once at the end. */
  end(): void;
}

/** Where several runs report their progress at once. */
export interface Screen {
  begin(): Reporter;
  /** Writes what is to stay, on whatever stream, without getting into what is drawn. */
  above(write: () => void): void;
}
