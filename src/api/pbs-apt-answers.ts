import { z } from 'zod';
import { bool, optional, text } from './answer.js';

/** Not installed is written as absent, "" or "unknown", by version. */
const PackageVersion = optional(text).transform((value) => (value === 'unknown' ? null : value));

export interface PbsPackage {
  readonly name: string;
  readonly installed: string | null;
  readonly candidate: string | null;
  readonly origin: string | null;
  /** Such as "running kernel: …" */
  readonly note: string | null;
}
/** `OldVersion` is what is installed, `Version` what apt would install. */
export const Packages = z.array(
  z
    .object({
      Package: text,
      OldVersion: PackageVersion,
      Version: PackageVersion,
      Origin: PackageVersion,
      ExtraInfo: optional(text),
    })
    .transform(
      (each): PbsPackage => ({
        name: each.Package,
        installed: each.OldVersion,
        candidate: each.Version,
        origin: each.Origin,
        note: each.ExtraInfo,
      }),
    ),
);

export interface Repositories {
  /** Files that could not be parsed. */
  readonly errors: { readonly path: string; readonly error: string }[];
  readonly warnings: string[];
  /** `enabled` null: not configured. */
  readonly standard: { readonly handle: string; readonly enabled: boolean | null }[];
  /** `URI suite components` of every enabled repository. */
  readonly enabledUris: string[];
}
const Repository = z.object({
  Enabled: bool,
  URIs: z.array(text),
  Suites: z.array(text),
  Components: z.array(text).nullish(),
});
export const Repositories = z
  .object({
    errors: z.array(z.object({ path: text, error: text })),
    infos: z.array(z.object({ path: text, kind: text, message: text })),
    'standard-repos': z.array(z.object({ handle: text, status: optional(bool) })),
    files: z.array(z.object({ repositories: z.array(Repository) })),
  })
  .transform(
    ({ errors, infos, files, ...rest }): Repositories => ({
      errors,
      warnings: infos
        .filter(({ kind }) => kind === 'warning')
        .map(({ path, message }) => `${path}: ${message}`),
      standard: rest['standard-repos'].map(({ handle, status }) => ({ handle, enabled: status })),
      enabledUris: files
        .flatMap(({ repositories }) => repositories)
        .filter(({ Enabled }) => Enabled)
        .flatMap(({ URIs, Suites, Components }) =>
          URIs.flatMap((uri) => Suites.map((suite) => [uri, suite, ...(Components ?? [])].join(' '))),
        ),
    }),
  );
