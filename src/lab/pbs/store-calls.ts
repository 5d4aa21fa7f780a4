import type { LabServer } from '../https.js';

/** Calls that make PBS touch the files of a datastore. */
const TOUCHES =
  /^\/(?:status\/datastore-usage|admin\/gc|admin\/datastore\/[^/]+\/(?:status|gc|namespace|groups|snapshots|files|download(?:-decoded)?))$/;

/**
 * What clients ask of datastores, counted as it arrives: a client that is careful never has two of these calls
 * open at once, and never repeats one that got no answer.
 */
export class StoreCalls {
  /** Every call so far, in order. */
  asked: string[] = [];
  /** How many were open at once at the most. */
  mostAtOnce = 0;
  /** Calls that were sent again although an earlier one like them was given up without an answer. */
  repeated: string[] = [];
  #open = 0;
  readonly #givenUp = new Set<string>();

  constructor(server: LabServer) {
    server.arrived = ({ method, url }) => {
      const path = url.replace(/[?#].*$/s, '').replace(/^\/api2\/json/, '');
      return method === 'GET' && TOUCHES.test(path) ? this.#begin(path) : undefined;
    };
  }

  /** Counts from zero, as for the next command. */
  reset(): void {
    this.asked = [];
    this.repeated = [];
    this.mostAtOnce = this.#open;
    this.#givenUp.clear();
  }

  #begin(path: string): (how: 'answered' | 'given-up') => void {
    this.asked.push(path);
    if (this.#givenUp.has(path)) this.repeated.push(path);
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    return (how) => {
      this.#open -= 1;
      if (how === 'given-up') this.#givenUp.add(path);
    };
  }
}
