import type { z } from 'zod';
import { envelope } from './answer.js';
import { Endpoint } from './endpoint.js';
import { ApiFault } from './failure.js';
import { isRead, repeated } from './repeat.js';
import { type OneServer, type Request, repeatOf, type Server, type ServerOptions } from './request.js';

/**
 * The nodes of a cluster as one server: any of them answers for all. Stays with the one that answered
 * last; moves on to the next where a request provably did not arrive, or only looks.
 */
export class Cluster implements Server {
  readonly product = 'pve';
  readonly name: string;
  readonly #endpoints: readonly Endpoint[];
  readonly #options: ServerOptions;
  #current = 0;

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.#endpoints = options.endpoints.map((address) => new Endpoint('pve', address, options));
    this.#options = options;
  }

  get address(): string {
    return this.#endpoints[this.#current]?.address ?? '';
  }

  ask<Answer>(request: Request, data: z.ZodType<Answer>): Promise<Answer> {
    return this.askWhole(request, envelope(data));
  }

  onOne<Result>(act: (one: OneServer) => Promise<Result>): Promise<Result> {
    return this.#inTurn(act, mayBeElsewhere);
  }

  askWhole<Answer>(request: Request, answer: z.ZodType<Answer>): Promise<Answer> {
    return repeated(
      repeatOf(request),
      () =>
        this.#inTurn(
          (one) => one.askOnce(request, answer),
          (error): error is ApiFault => mayAskNext(request, error),
        ),
      { ...this.#options, ...(request.signal ? { signal: request.signal } : {}) },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }

  async #inTurn<Result>(
    act: (one: Endpoint) => Promise<Result>,
    mayGoOn: (error: unknown) => error is ApiFault,
  ): Promise<Result> {
    const first = this.#current;
    const failures: ApiFault[] = [];
    for (let offset = 0; offset < this.#endpoints.length; offset += 1) {
      const index = (first + offset) % this.#endpoints.length;
      const endpoint = this.#endpoints[index];
      if (!endpoint) continue;
      try {
        const result = await act(endpoint);
        this.#current = index;
        return result;
      } catch (error) {
        if (!mayGoOn(error)) {
          // It refused, so it is there.
          if (error instanceof ApiFault && error.status !== null) this.#current = index;
          throw error;
        }
        failures.push(error);
      }
    }
    throw unreachable(this.name, failures);
  }
}

/** Only what leaves nothing behind is done on one of several. */
const mayBeElsewhere = (error: unknown): error is ApiFault =>
  error instanceof ApiFault && error.status === null && error.kind === 'passing';

/** Without a status no server has answered; where it was a write, `passing` then means that it was not sent. */
const mayAskNext = (request: Request, error: unknown): error is ApiFault =>
  mayBeElsewhere(error) && (!error.timedOut || isRead(repeatOf(request)));

function unreachable(name: string, failures: readonly ApiFault[]): Error {
  const [first, ...others] = failures;
  if (!first) return new RangeError(`cluster "${name}" has no endpoint`);
  if (others.length === 0) return first;
  const timedOut = failures.every((each) => each.timedOut);
  return new ApiFault(
    timedOut ? 'net.timeout' : 'net.unreachable',
    `No endpoint of PVE cluster "${name}" answers: ${together(failures)}`,
    { method: first.method, path: first.path },
    {},
    { kind: 'passing', timedOut, ...(first.hint ? { hint: first.hint } : {}) },
  );
}

/** The name of the cluster is said once, and endpoints with the same trouble share a line. */
function together(failures: readonly ApiFault[]): string {
  const addresses = new Map<string, string[]>();
  for (const { message } of failures) {
    const [, address = '', why = ''] =
      /^(?:Cannot reach )?PVE cluster ".*?" \((\S+?)\)(.*)$/s.exec(message) ?? [];
    const trouble = address === '' ? message : why;
    addresses.set(trouble, [...(addresses.get(trouble) ?? []), address]);
  }
  return [...addresses].map(([trouble, names]) => `${names.join(', ')}${trouble}`).join('; ');
}
