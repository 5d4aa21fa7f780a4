import type { CheckId } from '../checks/catalogue.js';
import { PHASES, type RunDocument } from '../journal/document.js';
import { oneLine } from '../printable.js';

/** The one thing an operator should do now. */
interface NextStep {
  /** Why, and what to do first, as one sentence. */
  readonly why: string;
  readonly command: string;
  /** The other option, for an unfinished run. */
  readonly alternative: { readonly why: string; readonly command: string } | null;
}

const LOCK: CheckId = 'lock.available';

/** Waiting does not fix these; the error says what does. */
const REFUSED = new Set(['api.unauthorized', 'api.forbidden', 'net.untrusted']);

/** Errors that `recover` explains best. */
const FIRST: Readonly<Record<string, string>> = {
  'upgrade.failed': 'Packages have to be repaired on the host; this shows its state.',
  'upgrade.incomplete': 'Packages have to be repaired on the host; this shows its state.',
  'reboot.not-down': 'This shows the console of the VM and what keeps it up.',
  'reboot.not-back': 'This shows the console of the VM and what keeps it down.',
};

/** Pure: from the report alone. Null where nothing is needed. */
export function nextStep(doc: RunDocument): NextStep | null {
  const patch = `pbs-ctl patch --host ${oneLine(doc.host)}`;
  const only = (why: string, command: string): NextStep => ({ why, command, alternative: null });
  const orAbandon = (why: string): NextStep => ({
    why,
    command: patch,
    alternative: { why: 'To give up the run and undo what can be undone:', command: `${patch} --abandon` },
  });
  const recover = (why: string): NextStep => ({
    why,
    command: `pbs-ctl recover --host ${oneLine(doc.host)}`,
    alternative: { why: 'Once it is fixed, this continues the run:', command: patch },
  });
  switch (doc.outcome) {
    case 'patched':
      return null;
    case 'checked':
      return doc.approval.length > 0
        ? only(
            `It is safe to patch now. The plan ${doc.approval.join(', ')}; this approves it and carries it out:`,
            `${patch} --plan ${(doc.planDigest ?? '').slice(0, 12)}`,
          )
        : only('It is safe to patch now:', patch);
    case 'postponed':
      return postponed(doc, patch, only);
    case 'reboot-pending':
      return only('The packages are installed; the next run only reboots and verifies.', patch);
    case 'unverified':
      return recover('This shows what is wrong and how to fix it; the fence stays up until then.');
    case 'interrupted':
      return touched(doc)
        ? orAbandon(
            doc.leftBehind.fenced.length > 0
              ? 'Backups are refused until then: this continues the run where it stopped.'
              : 'This continues the run where it stopped.',
          )
        : only('Nothing was changed; this starts again.', patch);
    case 'failed':
      return failed(doc, { orAbandon, recover, only });
    case 'abandoned':
      // An upgrade that still runs keeps the lock, too.
      if (doc.leftBehind.fenced.length > 0 && doc.leftBehind.locks.length === 0)
        return {
          why: 'The fence stays, since the host does not pass verify. This shows what is wrong:',
          command: `pbs-ctl recover --host ${oneLine(doc.host)}`,
          alternative: {
            why: 'The next run lifts it once verify passes. To lift it all the same:',
            command: `pbs-ctl recover --host ${oneLine(doc.host)} --lift-fence --force`,
          },
        };
      return leftBehind(doc)
        ? only('Not everything could be undone; this tries again.', `${patch} --abandon`)
        : null;
  }
}

type Only = (why: string, command: string) => NextStep;

function postponed(doc: RunDocument, patch: string, only: Only): NextStep {
  if (doc.error?.code === 'plan.changed' || doc.error?.code === 'plan.needs-approval')
    return only('Look at the plan and approve it.', `${patch} --check`);
  const again = doc.mode === 'check' ? `${patch} --check` : patch;
  if (doc.retryAfter) return only('Run it again when it is expected to be safe.', again);
  const blocks = doc.checks.filter(({ status }) => status === 'block');
  const locked = blocks.length > 0 && blocks.every(({ id }) => id === LOCK);
  if (locked || doc.error?.code === 'lock.expired' || doc.error?.code === 'lock.unreadable') {
    return only(
      'See who holds the lock, and ask whether they are done.',
      `pbs-ctl status --host ${oneLine(doc.host)}`,
    );
  }
  return only(
    'Check whether it is safe by now; this changes nothing.',
    `pbs-ctl preflight --host ${oneLine(doc.host)}`,
  );
}

interface Ways {
  orAbandon(why: string): NextStep;
  recover(why: string): NextStep;
  readonly only: Only;
}

function failed(doc: RunDocument, { orAbandon, recover, only }: Ways): NextStep {
  if (doc.error?.code === 'upgrade.timeout')
    return orAbandon('The upgrade still runs in the guest; this attaches to it again.');
  if (doc.error?.code === 'upgrade.boot-loader')
    return only(
      'Once the boot loader is repaired, give this run up; the next one reboots.',
      `pbs-ctl patch --host ${oneLine(doc.host)} --abandon`,
    );
  const first = FIRST[doc.error?.code ?? ''];
  if (first) return recover(first);
  const check = `pbs-ctl preflight --host ${oneLine(doc.host)}`;
  if (!touched(doc)) {
    return REFUSED.has(doc.error?.code ?? '')
      ? only('Fix what is named above, then look again; this changes nothing.', check)
      : only('Nothing was left behind. Check the host; this changes nothing.', check);
  }
  return recover('This shows the state of the host and what is left behind.');
}

const leftBehind = ({ leftBehind: { fenced, locks } }: RunDocument) => fenced.length + locks.length > 0;

/** True where the host, its fence or a lock may not be as before. */
function touched(doc: RunDocument): boolean {
  return leftBehind(doc) || doc.reboot !== null || PHASES.indexOf(doc.phase) >= PHASES.indexOf('upgrade');
}
