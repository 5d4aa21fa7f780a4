/** What one parameter of an endpoint may be. */
export interface Parameter {
  readonly type: 'string' | 'integer' | 'boolean' | 'array';
  readonly optional?: boolean;
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  readonly min?: number;
  readonly max?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Its values are read by the code itself and not by the schema, with words of their own. */
  readonly byCode?: boolean;
}
export type Parameters = Readonly<Record<string, Parameter>>;

export const text: Parameter = { type: 'string' };
export const whole: Parameter = { type: 'integer' };
export const sha256: Parameter = { type: 'string', pattern: /^[0-9a-f]{64}$/ };
export const flag: Parameter = { type: 'boolean' };
export const optional = (parameter: Parameter): Parameter => ({ ...parameter, optional: true });
export const oneOf = (...values: string[]): Parameter => ({ type: 'string', values });

/** The words of a server for what can be wrong with a parameter. */
export interface Wording {
  readonly missing: string;
  readonly unknown: string;
  readonly type: (type: string, value: string) => string;
  readonly value: (value: string, known: readonly string[]) => string;
  readonly pattern: (value: string) => string;
  readonly short: (least: number) => string;
  readonly long: (most: number) => string;
  /** A single value that is given twice. */
  readonly duplicate?: string;
  /** A list that is given and empty. */
  readonly emptyArray?: string;
  /** What it takes for a boolean in a query or form. */
  readonly booleans: RegExp;
}

/** Names of the wrong parameters with the server's words; empty when all are right. */
export function wrongParameters(
  given: Readonly<Record<string, unknown>>,
  known: Parameters,
  words: Wording,
): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const name of Object.keys(given)) if (!(name in known)) wrong[name] = words.unknown;
  for (const [name, parameter] of Object.entries(known)) {
    const value = given[name];
    if (value === null && parameter.type === 'array' && words.emptyArray) {
      wrong[name] = words.emptyArray;
      continue;
    }
    if (value === undefined || value === null) {
      if (!parameter.optional) wrong[name] = words.missing;
      continue;
    }
    const problem = problemOf(value, parameter, words);
    if (problem) wrong[name] = problem;
  }
  return wrong;
}

function problemOf(
  value: unknown,
  { type, values, pattern, min, max, minLength, maxLength }: Parameter,
  words: Wording,
): string | null {
  const shown = String(value);
  if (type === 'array') {
    const unknown = values && [value].flat().find((each) => !values.includes(String(each)));
    return unknown === undefined ? null : words.value(String(unknown), values ?? []);
  }
  if (Array.isArray(value)) return words.duplicate ?? words.type(type, 'ARRAY');
  if (type === 'boolean' && typeof value === 'boolean') return null;
  if (type === 'integer' && !/^-?\d+$/.test(shown)) return words.type('integer', shown);
  if (type === 'integer' && (Number(shown) < (min ?? -Infinity) || Number(shown) > (max ?? Infinity)))
    return words.value(shown, []);
  if (type === 'boolean' && !words.booleans.test(shown)) return words.type('boolean', shown);
  if (values && !values.includes(shown)) return words.value(shown, values);
  if (minLength !== undefined && shown.length < minLength) return words.short(minLength);
  if (maxLength !== undefined && shown.length > maxLength) return words.long(maxLength);
  if (pattern && !pattern.test(shown)) return words.pattern(shown);
  return null;
}

/** Parameters of a query or form; a repeated key becomes an array. */
export function readForm(form: string): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(form)) {
    if (name === '_dc') continue;
    const before = params[name];
    params[name] =
      before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return params;
}

/** `/nodes/{node}/status` against a path: the parts in braces, decoded, or null. */
export function matchPath(template: string, path: string): Record<string, string> | null {
  const wanted = template.split('/').filter(Boolean);
  const parts = path.split('/').filter(Boolean);
  if (wanted.length !== parts.length) return null;
  const found: Record<string, string> = {};
  for (const [index, piece] of wanted.entries()) {
    const part = parts[index] ?? '';
    if (piece.startsWith('{')) found[piece.slice(1, -1)] = decoded(part);
    else if (piece !== part) return null;
  }
  return found;
}

/** As it is where it cannot be decoded. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
