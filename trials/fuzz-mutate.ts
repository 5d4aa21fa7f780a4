import type { Schema } from '../test/conformance/contract.js';
import type { Random } from './random.js';

/** One change of an answer that its schema allows. */
export interface Mutation {
  /** `0.status`: where in `data`. */
  readonly path: string;
  readonly kind: 'dropped' | 'null' | 'emptied' | 'one less' | 'other value' | 'flipped' | 'other number';
  readonly answer: unknown;
}

type Change = Pick<Mutation, 'path' | 'kind'> & { readonly put: (copy: unknown) => unknown };

/** Draws one of all changes that the schema allows; null for an answer in which nothing can change. */
export function mutate(answer: unknown, schema: Schema | undefined, random: Random): Mutation | null {
  const [first, ...others] = changesIn(answer, schema, []);
  if (!first) return null;
  const { path, kind, put } = random.oneOf([first, ...others]);
  return { path, kind, answer: put(structuredClone(answer)) };
}

/** What is beyond the schema may be left out, too: nothing promises it. */
function changesIn(value: unknown, schema: Schema | undefined, path: readonly string[]): Change[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((each, index) => changesIn(each, schema?.items, [...path, String(index)]));
    if (value.length === 0) return items;
    return [
      change(path, 'emptied', () => []),
      ...value.map((_, index) =>
        change(path, 'one less', (list) => (list as unknown[]).filter((_each, at) => at !== index)),
      ),
      ...items,
    ];
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, each]) => {
      const field = schema?.properties?.[key];
      const mayLack = field === undefined || field.optional === 1 || field.optional === true;
      const at = [...path, key];
      const within = (put: () => unknown) => put;
      return [
        ...(mayLack
          ? [
              dropped(path, key),
              change(
                at,
                'null',
                within(() => null),
              ),
            ]
          : []),
        ...changesIn(each, field, at),
      ];
    });
  return scalar(value, schema, path);
}

function scalar(value: unknown, schema: Schema | undefined, path: readonly string[]): Change[] {
  if (typeof value === 'boolean') return [change(path, 'flipped', () => !value)];
  const others = (schema?.enum ?? []).filter((each) => each !== value);
  const changed = others.map((each) => change(path, 'other value', () => each));
  if (schema?.type === 'boolean') return [...changed, change(path, 'flipped', () => (value ? 0 : 1))];
  if (typeof value !== 'number') return changed;
  const low = Number(schema?.minimum ?? 0);
  return [...changed, ...[low, value * 2 + 1].map((each) => change(path, 'other number', () => each))];
}

const dropped = (path: readonly string[], key: string): Change =>
  change([...path, key], 'dropped', () => undefined);

/** Undefined takes the field out. */
function change(path: readonly string[], kind: Mutation['kind'], to: (before: unknown) => unknown): Change {
  const put = (copy: unknown): unknown => {
    const last = path.at(-1);
    if (last === undefined) return to(copy);
    const parent = path
      .slice(0, -1)
      .reduce<Record<string, unknown>>(
        (at, key) => at[key] as Record<string, unknown>,
        copy as Record<string, unknown>,
      );
    const after = to(parent[last]);
    if (after === undefined) delete parent[last];
    else parent[last] = after;
    return copy;
  };
  return { path: path.join('.'), kind, put };
}
