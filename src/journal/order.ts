import type { RunEvent } from './records.js';
import type { RunState } from './state.js';

/** Added by the delivery of a report, by `recover`, and by a run that continues. */
const MAY_FOLLOW_THE_END: ReadonlySet<string> = new Set([
  'resumed',
  'accepted',
  'warning',
  'told',
  'unfenced',
  'unlocked',
]);

/** Why an event is not possible after what happened so far; null if it is. */
export function objection(
  { ended, timeline, baseline, upgrade, reboot }: RunState,
  event: RunEvent,
): string | null {
  if (ended && !MAY_FOLLOW_THE_END.has(event.type)) return 'the run has ended';
  switch (event.type) {
    case 'started':
      return 'the run has begun';
    case 'resumed':
      return ended && !ended.open ? 'the run has ended and left nothing behind' : null;
    case 'phase': {
      const open = timeline.some(({ phase, endedAt }) => phase === event.phase && endedAt === null);
      return event.status === 'done' && !open ? `phase "${event.phase}" was not begun` : null;
    }
    case 'baseline':
      return baseline ? 'the run has a baseline, which nothing may replace' : null;
    case 'upgrade-intended':
      return upgrade === 'begun' || upgrade === 'done' ? 'an upgrade was begun before' : null;
    case 'upgrade-task':
    case 'upgrade-void':
    case 'upgrade-failed':
      return upgrade === 'begun' ? null : 'no upgrade was begun';
    case 'upgraded':
      return upgrade === 'done' ? 'the upgrade was done before' : null;
    case 'reboot-intended':
      if (reboot) return 'the reboot was requested before, and a run requests one';
      return upgrade === 'done' ? null : 'the upgrade is not done';
    case 'boot-found':
      return reboot ? 'the run has its reboot' : upgrade === 'done' ? null : 'the upgrade is not done';
    case 'went-down':
    case 'rebooted':
      if (!reboot) return 'no reboot was requested';
      return reboot.upAt === null ? null : 'the host was back before';
    default:
      return null;
  }
}
