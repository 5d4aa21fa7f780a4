import { Fault, type FaultKind, type FaultOptions } from '../fault.js';
import { grantCommand } from './privileges.js';
import { type Privilege, type Product, tokenParts } from './token.js';

/** A request that did not bring what it was sent for. */
export class ApiFault extends Fault {
  readonly method: string;
  /** Path below /api2/json, without the query. */
  readonly path: string;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** What the server said, without the token; empty when it said nothing. */
  readonly serverWords: string;
  /** The connection stood, and no answer came within the limit. */
  readonly timedOut: boolean;

  constructor(
    code: string,
    message: string,
    asked: Pick<Asked, 'method' | 'path'>,
    answered: Partial<Answered>,
    { timedOut = false, ...options }: FaultOptions & { readonly timedOut?: boolean } = {},
  ) {
    super(code, message, options);
    this.timedOut = timedOut;
    this.method = asked.method;
    this.path = asked.path;
    this.status = answered.status ?? null;
    this.serverWords = answered.words ?? '';
  }
}

/** The server was reached and said nothing: the request may still be under way there. */
export const isTimeout = (error: unknown): error is ApiFault => error instanceof ApiFault && error.timedOut;

/** A limit as messages state it. */
export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** What was asked of whom, as far as an error needs it. */
export interface Asked {
  readonly product: Product;
  /** How messages call the server: `PBS "pbs01" (https://…)`. */
  readonly server: string;
  readonly tokenId: string;
  readonly method: string;
  readonly path: string;
  /** True when it changes something or its answer is given only once: a lost answer then leaves the outcome unknown. */
  readonly effect: boolean;
  /** It is known to be refused for a moment where it is answered the next. */
  readonly refusesInPassing: boolean;
  /** The privilege it takes, where the server's refusal does not name it. */
  readonly needs: Privilege | null;
  /** The root daemon of PBS has to answer, not the proxy alone, which is known to answer. */
  readonly ofDaemon?: boolean;
}

export interface Answered {
  readonly status: number;
  /** The words of the server, trimmed; secrets already taken out. */
  readonly words: string;
}

const PBS_CANNOT_CONNECT = /^(client error \(Connect\)|error trying to connect\b)/;
const PBS_BROKE_OFF = /^(client error \(SendRequest\)|connection (closed|error)\b)/;
const PBS_FORBIDDEN =
  /^(permission check failed|missing permissions?\b|no permissions?\b|not permitted|task access not allowed)/i;
const MISSING =
  /\b(no such (datastore|task|job)|(Configuration file|job|datastore|storage|pool) '[^']*' does not exist)/i;

/** The cluster file system says so in its own words, or as the file that it refuses to write. */
const NO_QUORUM = /\bno quorum!|unable to open file '\/etc\/pve\/[^']*' - Permission denied/;

/** The Fault for an answer whose status is not 2xx. */
export function refusal(asked: Asked, answered: Answered): ApiFault {
  const { product } = asked;
  const { status, words } = answered;
  if (product === 'pbs' && status === 400) {
    // PBS 4.1.2 and 4.1.3 answer bad credentials like this.
    if (words === 'authentication failed') return unauthorized(asked, answered);
    if (PBS_CANNOT_CONNECT.test(words)) return daemonDown(asked, answered);
    if (PBS_BROKE_OFF.test(words))
      return asked.effect ? unknown(asked, words, answered) : daemonDown(asked, answered);
    if (PBS_FORBIDDEN.test(words)) return forbidden(asked, answered);
  }
  if (status === 401) return unauthorized(asked, answered);
  if (status === 403) return forbidden(asked, answered);
  if (product === 'pve') {
    if (status === 595) return nodeUnreachable(asked, `PVE could not connect to it: ${words}`, answered);
    if (status >= 596 && status <= 599 && !asked.effect)
      return nodeUnreachable(asked, `its answer was lost: ${words || `status ${status}`}`, answered);
    if (NO_QUORUM.test(words)) return noQuorum(asked, answered);
  }
  if (status === 502 || status === 503 || status === 504 || (status >= 596 && status <= 599)) {
    if (asked.effect) return unknown(asked, words || `status ${status}`, answered);
    return unreachable(asked, `the request was lost behind it: ${words || `status ${status}`}`, answered);
  }
  if (status === 404 || status === 501 || MISSING.test(words)) {
    return new ApiFault('api.missing', `${refused(asked)}: ${words || 'not found'}`, asked, answered);
  }
  return new ApiFault('api.refused', `${refused(asked)}: ${words || `status ${status}`}`, asked, answered, {
    kind: kindOfRefusal(asked, status),
  });
}

/** An error of the server says nothing of how far it came; some endpoints refuse for a moment what they answer the next. */
function kindOfRefusal({ refusesInPassing }: Asked, status: number): FaultKind {
  if (refusesInPassing) return 'passing';
  return status >= 500 ? 'unknown' : 'refused';
}

/** The Fault for a server that could not be reached: nothing of the request has arrived. */
export function unreachable(
  asked: Asked,
  why: string,
  answered: Partial<Answered> = {},
  { cause, hint }: { readonly cause?: unknown; readonly hint?: string | null } = {},
): ApiFault {
  return new ApiFault('net.unreachable', `Cannot reach ${asked.server}: ${why}`, asked, answered, {
    kind: 'passing',
    hint: hint ?? 'Check that the host is up, the address right, and nothing in between blocks the port.',
    cause,
  });
}

/** The Fault for a node that the one that answers cannot reach: the endpoint itself is well. */
function nodeUnreachable(asked: Asked, why: string, answered: Answered): ApiFault {
  const node = /^\/nodes\/([^/]+)/.exec(asked.path)?.[1];
  if (node === undefined) return unreachable(asked, `a node behind it does not answer, ${why}`, answered);
  const name = decodeURIComponent(node);
  return new ApiFault(
    'net.unreachable',
    `Node ${name} of ${asked.server} does not answer, ${why}`,
    asked,
    answered,
    { kind: 'passing', hint: `Check that node ${name} is up, on another node:\npvecm status` },
  );
}

function noQuorum(asked: Asked, answered: Answered): ApiFault {
  return new ApiFault(
    'pve.no-quorum',
    `${asked.server} has no quorum and writes nothing: ${answered.words}`,
    asked,
    answered,
    { kind: 'later', hint: 'Bring the missing nodes back. On any node:\npvecm status' },
  );
}

/**
 * The Fault for an answer that did not come in time.
 * @param isConfigured whether the limit is `requestTimeout`
 */
export function timedOut(asked: Asked, limitMs: number, isConfigured: boolean): ApiFault {
  const why = `no answer within ${seconds(limitMs)}`;
  if (asked.effect) return unknown(asked, why);
  if (asked.ofDaemon) return daemonHangs(asked, `${why} to ${asked.method} ${asked.path}`);
  return new ApiFault(
    'net.timeout',
    `${asked.server} gave ${why} to ${asked.method} ${asked.path}.`,
    asked,
    {},
    {
      hint: isConfigured
        ? 'Look at the load of that host, or raise "requestTimeout".'
        : 'Look at the load of that host.',
      kind: 'passing',
      timedOut: true,
    },
  );
}

/** The Fault for a question that was not sent, since others have taken the time of the command. */
export function outOfTime(asked: Asked): ApiFault {
  const what = `${asked.method} ${asked.path}`;
  return new ApiFault(
    'net.timeout',
    `No time was left to send ${what} to ${asked.server}.`,
    asked,
    {},
    {
      hint: 'Look at what did not answer before, or raise "requestTimeout".',
      kind: 'passing',
      timedOut: true,
    },
  );
}

/** The Fault for a connection that broke after the request was sent. */
export function broken(asked: Asked, why: string, cause: unknown): ApiFault {
  return asked.effect
    ? unknown(asked, why, {}, cause)
    : unreachable(asked, `the connection broke off: ${why}`, {}, { cause });
}

/** The Fault for an answer that another product gives; a proxy that gives it may have passed the request on. */
export function anotherProduct(asked: Asked, what: string, status: number): ApiFault {
  const [name, port] = asked.product === 'pbs' ? ['PBS', 8007] : ['PVE', 8006];
  return new ApiFault(
    'api.unreadable',
    `What answers as ${asked.server} is not a ${name}: it answered ${asked.method} ${asked.path} ${what}.`,
    asked,
    { status },
    {
      kind: 'unknown',
      hint: `Check the endpoint, and its port: ${name} answers at ${port} unless a proxy is in front of it.`,
    },
  );
}

/** The Fault for an answer that does not look as it should. `why` names field and expectation. */
export function unreadable(asked: Asked, why: string, status: number): ApiFault {
  return new ApiFault(
    'api.unreadable',
    `The answer of ${asked.server} to ${asked.method} ${asked.path} cannot be read: ${why}`,
    asked,
    { status },
    {
      kind: 'unknown',
      hint: 'This version of the server may be unknown to pbs-ctl: please report it with this message.',
    },
  );
}

function unknown(asked: Asked, why: string, answered: Partial<Answered> = {}, cause?: unknown): ApiFault {
  return new ApiFault(
    'outcome.unknown',
    `Whether ${asked.server} has carried out ${asked.method} ${asked.path} is unknown: ${why}`,
    asked,
    answered,
    { kind: 'unknown', hint: 'Look at the state of the server before asking again.', cause },
  );
}

/** The proxy answers, and the privileged daemon behind it does not. */
export class DaemonDown extends ApiFault {}

function daemonDown(asked: Asked, answered: Answered): ApiFault {
  const message = `${asked.server} answers, but its root daemon does not: ${answered.words}`;
  return new DaemonDown('pbs.daemon-down', message, asked, answered, {
    hint: 'On that host:\nsystemctl status proxmox-backup.service',
    kind: 'passing',
  });
}

function daemonHangs(asked: Asked, why: string): ApiFault {
  const message = `${asked.server} answers, but its root daemon hangs: ${why}.`;
  return new DaemonDown(
    'pbs.daemon-down',
    message,
    asked,
    {},
    {
      hint: 'On that host:\nsystemctl restart proxmox-backup.service',
      kind: 'passing',
      timedOut: true,
    },
  );
}

function unauthorized(asked: Asked, answered: Answered): ApiFault {
  const { user } = tokenParts(asked.tokenId);
  const list =
    asked.product === 'pbs'
      ? `proxmox-backup-manager user list-tokens ${user}`
      : `pveum user token list ${user}`;
  const reason = refusedBecause(answered.words);
  return new ApiFault(
    'api.unauthorized',
    `${asked.server} does not accept token "${asked.tokenId}"${answered.words ? `: ${answered.words}` : ''}`,
    asked,
    answered,
    {
      denied: 'token',
      hint: `${REASONS[reason]} ${reason === 'secret' ? 'The command for a new one:\npbs-ctl doctor' : `Look:\n${list}`}`,
    },
  );
}

/** Why a token is refused, as far as the server says: PBS 3.x does, later ones and PVE do not. */
export function refusedBecause(words: string): 'secret' | 'disabled' | 'unknown' {
  if (/\binvalid credentials\b/.test(words)) return 'secret';
  return /\btoken disabled or expired\b/.test(words) ? 'disabled' : 'unknown';
}

const REASONS: Readonly<Record<ReturnType<typeof refusedBecause>, string>> = {
  secret: 'User and token are good, the secret is wrong.',
  disabled: 'User or token does not exist, is disabled, or has expired; the secret was not compared.',
  unknown: 'The secret is wrong, or user or token does not exist, is disabled, or has expired.',
};

function forbidden(asked: Asked, answered: Answered): ApiFault {
  const lacking = privilegeIn(answered.words) ?? asked.needs;
  const action = `${asked.method} ${asked.path}`;
  if (!lacking) {
    const message = `${asked.server} forbids token "${asked.tokenId}" ${action}: ${answered.words}`;
    return new ApiFault('api.forbidden', message, asked, answered, { denied: 'privilege' });
  }
  return new ApiFault(
    'api.forbidden',
    `${asked.server} forbids ${action}: token "${asked.tokenId}" or its user lacks ${lacking.privilege.replaceAll('|', ' or ')} on ${lacking.path}`,
    asked,
    answered,
    {
      denied: 'privilege',
      hint: grantCommand(asked.product, asked.tokenId, {
        privilege: oursOf(lacking.privilege),
        path: lacking.path,
      }),
    },
  );
}

/** Privilege and path as the servers write them into a refusal; null when they do not. */
function privilegeIn(words: string): Privilege | null {
  const pve = /\((\/[^,()]*), ([A-Za-z.|]+)[^)]*\)/.exec(words);
  if (pve?.[1] && pve[2]) return { path: pve[1], privilege: pve[2] };
  const pbs = /missing permissions? '([A-Za-z.|]+)' on '([^']*)'/.exec(words);
  if (pbs?.[1]) return { privilege: pbs[1], path: pbs[2] || '/' };
  return null;
}

/** Of the alternatives that PVE lists, the one that a run needs anyway: another would open this door and no further one. */
function oursOf(alternatives: string): string {
  const each = alternatives.split('|');
  const ours = ['VM.Config.Options', 'VM.GuestAgent.Unrestricted'].find((one) => each.includes(one));
  return ours ?? each[0] ?? alternatives;
}

const refused = ({ server, method, path }: Asked) => `${server} refuses ${method} ${path}`;
