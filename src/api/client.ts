import { z } from 'zod';
import { number, optional, text, wire } from './answer.js';
import type { Request, Server } from './request.js';

/** A question that only `doctor` and `init` ask: a GET and how its answer is read. */
export interface Look<Answer> {
  readonly path: string;
  readonly parameters?: NonNullable<Request['parameters']>;
  readonly answer: z.ZodType<Answer>;
}

/** Each privilege that is held, and whether paths below inherit it. */
export type HeldPrivileges = ReadonlyMap<string, boolean>;

/** What PBS and PVE are asked alike. */
export abstract class Client {
  protected readonly server: Server;

  constructor(server: Server) {
    this.server = server;
  }

  /** Privileges of the token on every path that has entries of its own; a path that is not there may inherit some. */
  async listedPermissions(): Promise<ReadonlyMap<string, HeldPrivileges>> {
    const held = await this.get('/access/permissions', Permissions);
    return new Map(Object.entries(held).map(([path, privileges]) => [path, heldOf(privileges)]));
  }

  /** Privileges of the token itself on exactly this path, inherited ones included. */
  async permissions(path: string): Promise<HeldPrivileges> {
    const held = await this.get('/access/permissions', Permissions, { parameters: { path } });
    return heldOf(held[path] ?? {});
  }

  /** A question of those in account.ts. */
  look<Answer>({ path, answer, parameters = {} }: Look<Answer>): Promise<Answer> {
    return this.get(path, answer, { parameters });
  }

  close(): Promise<void> {
    return this.server.close();
  }

  protected get<Answer>(path: string, data: z.ZodType<Answer>, more: Partial<Request> = {}): Promise<Answer> {
    return this.server.ask({ ...more, method: 'GET', path }, data);
  }
}

/** Key present means privilege held, the value only whether it is inherited below; paths without any are left out. */
export const Permissions = z.record(z.string(), z.record(z.string(), z.unknown()));

const heldOf = (privileges: Readonly<Record<string, unknown>>): HeldPrivileges =>
  new Map(
    Object.entries(privileges).map(([name, spreads]) => [name, spreads === true || Number(spreads) === 1]),
  );

/** PVE 8 names no time zone where /etc/timezone is missing. */
export const Time = wire({
  epochSeconds: ['time', number],
  timezone: optional(text),
  localSeconds: ['localtime', optional(number)],
}).transform(({ localSeconds, ...time }) => ({
  ...time,
  /** Seconds; null where the server does not say. */
  utcOffset: localSeconds === null ? null : localSeconds - time.epochSeconds,
}));
export type Time = z.output<typeof Time>;

/** For answers that say nothing. */
export const Nothing = z.unknown().transform(() => undefined);
