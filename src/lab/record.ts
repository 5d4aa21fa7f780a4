/** One request as a server saw it. */
export interface RecordedRequest {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly server: string;
  readonly method: string;
  /** Without `/api2/json`. */
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tokenId: string | null;
  readonly status: number;
}

/** Something that happened to a simulated machine or cluster. */
interface RecordedEvent {
  readonly at: number;
  readonly kind: string;
  readonly host: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What the servers of the lab saw: the truth that tests judge by. */
export class LabRecord {
  readonly requests: RecordedRequest[] = [];
  readonly events: RecordedEvent[] = [];
  readonly #listeners: Array<(entry: RecordedRequest | RecordedEvent) => void> = [];

  request(request: RecordedRequest): void {
    this.requests.push(request);
    for (const listener of this.#listeners) listener(request);
  }

  event(kind: string, host: string, detail: Record<string, unknown> = {}): void {
    const event = { at: Date.now(), kind, host, detail };
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  onEntry(listener: (entry: RecordedRequest | RecordedEvent) => void): void {
    this.#listeners.push(listener);
  }
}
