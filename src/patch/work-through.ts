import { type Member, nextOf } from './fleet-next.js';

export interface Fleet<Item extends Member> {
  readonly items: readonly Item[];
  /** How many may be under way at once. */
  readonly lanes: number;
  /** Carries one out. @returns false when no further one is to begin; those under way go on to their end */
  readonly act: (item: Item) => Promise<boolean>;
  /** Asked before each one begins: false when no further one is to begin. */
  readonly mayBegin?: () => boolean;
}

/**
 * Works through all of them, side by side where {@link nextOf} allows it.
 * @returns those that were not begun, in order
 * @throws the first error of `act`, once all that were under way have ended
 */
export async function workThrough<Item extends Member>({
  items,
  lanes,
  act,
  mayBegin = () => true,
}: Fleet<Item>): Promise<Item[]> {
  const waiting = [...items];
  const running = new Map<Item, Promise<void>>();
  let goesOn = true;
  const failures: unknown[] = [];
  const begin = (item: Item) => {
    waiting.splice(waiting.indexOf(item), 1);
    const ended = act(item).then(
      (more) => {
        goesOn &&= more;
      },
      (error: unknown) => {
        goesOn = false;
        failures.push(error);
      },
    );
    running.set(
      item,
      ended.finally(() => running.delete(item)),
    );
  };
  for (;;) {
    while (goesOn && mayBegin()) {
      const item = nextOf(waiting, running.keys(), lanes);
      if (!item) break;
      begin(item);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failures.length > 0) throw failures[0];
  return waiting;
}
