import type { PbsRelease } from '../machine/spec.js';

/** What one line of PBS does otherwise than the others, as far as a client can see it. */
export interface Differences {
  /** A token that is not accepted. */
  readonly refusal: {
    readonly status: number;
    readonly words: (why: string) => string;
    readonly headers?: Record<string, string>;
  };
  /** What stands in the place of the version of a package that is not installed. */
  readonly notInstalled: Readonly<Record<string, string>>;
  /** The lists of datastores say where one is kept. */
  readonly tellsBackend: boolean;
  /** The status of a task says when it ended. */
  readonly tellsEndOfTask: boolean;
  /** A word outside an enumeration that the code itself reads. */
  readonly unknownVariant: (name: string, value: string, known: readonly string[]) => string;
  /** The proxy's words when the privileged daemon does not run. */
  readonly daemonDown: string;
}

const REFUSED = 'authentication failed';
const clearsCookie = {
  'set-cookie': '__Host-PBSAuthCookie=; Path=/; Secure; HttpOnly; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
};
const told = (why: string) => `${REFUSED} - ${why}`;
const inSchema = (name: string, value: string) =>
  `parameter verification failed - '${name}': value '${value}' is not defined in the enumeration.`;
const bare = (_: string, value: string, known: readonly string[]) => {
  const quoted = known.map((each) => `\`${each}\``);
  return `unknown variant \`${value}\`, expected ${known.length === 2 ? quoted.join(' or ') : `one of ${quoted.join(', ')}`}`;
};
const CONNECT = 'client error (Connect)';

export const DIFFERENCES: Readonly<Record<PbsRelease, Differences>> = {
  '3.4': {
    refusal: { status: 401, words: told },
    notInstalled: { OldVersion: '' },
    tellsBackend: false,
    tellsEndOfTask: false,
    unknownVariant: inSchema,
    daemonDown: 'error trying to connect: tcp connect error: Connection refused (os error 111)',
  },
  '4.0': {
    refusal: { status: 401, words: told, headers: clearsCookie },
    notInstalled: { OldVersion: '' },
    tellsBackend: false,
    tellsEndOfTask: false,
    unknownVariant: bare,
    daemonDown: CONNECT,
  },
  // 4.1.2 and 4.1.3 answer 400 where every other release answers 401.
  '4.1': {
    refusal: { status: 400, words: () => REFUSED },
    notInstalled: {},
    tellsBackend: false,
    tellsEndOfTask: false,
    unknownVariant: bare,
    daemonDown: CONNECT,
  },
  '4.2': {
    refusal: { status: 401, words: () => REFUSED, headers: clearsCookie },
    notInstalled: {},
    tellsBackend: true,
    tellsEndOfTask: true,
    unknownVariant: bare,
    daemonDown: CONNECT,
  },
};
