import { NoGuest } from './absent.js';
import { ApiFault } from './failure.js';
import type { PveGuest } from './pve-answers.js';
import { at } from './request.js';

/** Remembers on which node each guest is, and looks again where one turns out to have moved. */
export class GuestPlaces {
  readonly #cluster: string;
  readonly #ask: () => Promise<PveGuest[]>;
  readonly #places = new Map<number, PveGuest>();
  #asked: Promise<PveGuest[]> | null = null;

  constructor(cluster: string, ask: () => Promise<PveGuest[]>) {
    this.#cluster = cluster;
    this.#ask = ask;
  }

  /** All guests. Questions that are asked side by side share one answer, as the first ones of a run do. */
  list(): Promise<PveGuest[]> {
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = null;
    });
    return this.#asked;
  }

  /** Asks again each time. */
  async find(vmid: number): Promise<PveGuest | null> {
    const guest = (await this.list()).find((each) => each.vmid === vmid) ?? null;
    if (guest) this.#places.set(vmid, guest);
    else this.#places.delete(vmid);
    return guest;
  }

  /** Acts on the path of a guest, and once more where the guest turns out to be on another node by now. */
  async on<Result>(vmid: number, act: (path: string, node: string) => Promise<Result>): Promise<Result> {
    const guest = this.#places.get(vmid) ?? (await this.#locate(vmid));
    try {
      return await act(pathOf(guest), guest.node);
    } catch (error) {
      if (!mayHaveMoved(error)) throw error;
      const now = await this.find(vmid);
      if (!now || now.node === guest.node) throw error;
      return act(pathOf(now), now.node);
    }
  }

  async #locate(vmid: number): Promise<PveGuest> {
    const guest = await this.find(vmid);
    if (guest) return guest;
    throw new NoGuest(this.#cluster, vmid);
  }
}

const pathOf = ({ node, type, vmid }: PveGuest): string => at`/nodes/${node}/${type}/${vmid}`;

/** In each of these cases nothing was done: the node does not have the guest, is gone, or was not reached. */
function mayHaveMoved(error: unknown): boolean {
  if (!(error instanceof ApiFault)) return false;
  return (
    error.status === 595 ||
    /Configuration file '[^']*' does not exist|hostname lookup '[^']*' failed/.test(error.serverWords)
  );
}
