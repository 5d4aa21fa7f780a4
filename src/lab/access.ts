interface Entry {
  readonly path: string;
  readonly privileges: Set<string>;
  readonly propagate: boolean;
}

interface TokenEntry {
  /** Epoch seconds, 0 = never. */
  readonly expire: number;
  readonly privsep: boolean;
}

interface UserEntry {
  readonly enable: boolean;
  /** Epoch seconds, 0 = never. */
  readonly expire: number;
}

/**
 * Tokens and what they may do. An entry on a deeper path replaces what is inherited from above; one
 * without `propagate` counts on exactly its path, together with a propagating one on the same path.
 */
export class Access {
  readonly #secrets = new Map<string, string>();
  readonly #tokens = new Map<string, TokenEntry>();
  readonly #users = new Map<string, UserEntry>();
  #entries: Entry[] = [];

  addToken(id: string, secret: string, entry: TokenEntry = { expire: 0, privsep: true }): void {
    this.#secrets.set(id, secret);
    this.#tokens.set(id, entry);
  }

  /** Another end, or privileges that are no longer its own. */
  changeToken(id: string, change: Partial<TokenEntry>): void {
    const entry = this.#tokens.get(id);
    if (entry) this.#tokens.set(id, { ...entry, ...change });
  }

  /** The owner of tokens, who is enabled and does not expire unless something else was said. */
  userOf(name: string): UserEntry | null {
    return this.tokensOf(name).length > 0 ? (this.#users.get(name) ?? { enable: true, expire: 0 }) : null;
  }

  changeUser(name: string, change: Partial<UserEntry>): void {
    this.#users.set(name, { enable: true, expire: 0, ...this.#users.get(name), ...change });
  }

  /** Another secret; every entry stays. */
  changeSecret(id: string, secret: string): void {
    this.#secrets.set(id, secret);
  }

  /** What was granted to it goes with it. */
  deleteToken(id: string): void {
    this.#secrets.delete(id);
    this.#tokens.delete(id);
    this.#entries = [];
  }

  tokensOf(user: string): Array<[name: string, entry: TokenEntry]> {
    return [...this.#tokens].flatMap(([id, entry]): Array<[string, TokenEntry]> => {
      const [owner = '', name = ''] = id.split('!');
      return owner === user ? [[name, entry]] : [];
    });
  }

  grant(path: string, privileges: readonly string[], propagate = true): void {
    this.#entries.push({ path, privileges: new Set(privileges), propagate });
  }

  /** Takes a privilege away, everywhere or on one path. */
  revoke(privilege: string, path?: string): void {
    for (const entry of this.#entries)
      if (path === undefined || entry.path === path) entry.privileges.delete(privilege);
  }

  /** An entry on a path that has everything held there but this one privilege. */
  deny(path: string, privilege: string): void {
    const held = [...this.effective(path).keys()].filter((each) => each !== privilege);
    this.#entries = this.#entries.filter((entry) => entry.path !== path);
    this.grant(path, held);
  }

  /** Whether a token may be used with this secret, and otherwise what is wrong: with the secret, or with token and user. */
  standingOf(tokenId: string, secret: string): 'good' | 'secret' | 'unknown' {
    const token = this.#tokens.get(tokenId);
    const user = this.userOf(tokenId.split('!')[0] ?? '');
    const over = ({ expire }: { readonly expire: number }) => expire !== 0 && expire * 1000 <= Date.now();
    if (!token || !user?.enable || over(token) || over(user)) return 'unknown';
    return this.#secrets.get(tokenId) === secret ? 'good' : 'secret';
  }

  has(path: string, privilege: string): boolean {
    return this.effective(path).has(privilege);
  }

  /** Privileges on a path, each with whether it is inherited further down. */
  effective(path: string): Map<string, boolean> {
    const parents = parentsOf(path);
    for (const at of parents) {
      const entries = this.#entries.filter((entry) => entry.path === at && (at === path || entry.propagate));
      if (entries.length === 0) continue;
      const held = new Map<string, boolean>();
      for (const entry of entries) {
        for (const privilege of entry.privileges)
          held.set(privilege, (held.get(privilege) ?? false) || entry.propagate);
      }
      return held;
    }
    return new Map();
  }

  paths(): string[] {
    return [...new Set(this.#entries.map(({ path }) => path))];
  }
}

/** The path itself first, then each parent up to `/`. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return [...parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`), '/'];
}
