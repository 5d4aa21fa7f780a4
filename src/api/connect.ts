import type { Secret } from '../config/secret.js';
import type { TlsConfig } from '../config/schema.js';
import { Pbs } from './pbs.js';
import { Pve } from './pve.js';
export interface ServerOptions { readonly name: string; readonly endpoints: readonly string[]; readonly tokenId: string; readonly secret: Secret; readonly tls: TlsConfig; readonly requestTimeoutMs: number }
export function connectPbs(options: ServerOptions): Pbs { return new Pbs({ name: options.name }); }
export function connectPve(options: ServerOptions): Pve { return new Pve(options.name, options.endpoints.map((name) => ({ name }))); }
