/** What one parameter of an endpoint may be. */
export interface Parameter {
  readonly type: 'string' | 'integer' | 'boolean' | 'array';
  readonly optional?: boolean;
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  readonly min?: number;
  readonly max?: number;
}
export type Parameters = Readonly<Record<string, Parameter>>;

export const text: Parameter = { type: 'string' };
export const whole: Parameter = { type: 'integer' };
export const flag: Parameter = { type: 'boolean' };
export const optional = (parameter: Parameter): Parameter => ({ ...parameter, optional: true });
export const oneOf = (...values: string[]): Parameter => ({ type: 'string', values });

/** The words of a server for what can be wrong with a parameter. */
export interface Wording {
  readonly missing: string;
  readonly unknown: string;
  readonly type: (type: string, value: string) => string;
  readonly value: (value: string) => string;
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
  { type, values, pattern, min, max }: Parameter,
  words: Wording,
): string | null {
  const shown = String(value);
  if (type === 'array') return null;
  if (Array.isArray(value)) return words.type(type, 'ARRAY');
  if (type === 'boolean' && typeof value === 'boolean') return null;
  if (type === 'integer' && !/^-?\d+$/.test(shown)) return words.type('integer', shown);
  if (type === 'integer' && (Number(shown) < (min ?? -Infinity) || Number(shown) > (max ?? Infinity)))
    return words.value(shown);
  if (type === 'boolean' && !words.booleans.test(shown)) return words.type('boolean', shown);
  if (values && !values.includes(shown)) return words.value(shown);
  if (pattern && !pattern.test(shown)) return words.value(shown);
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
    if (piece.startsWith('{')) found[piece.slice(1, -1)] = decodeURIComponent(part);
    else if (piece !== part) return null;
  }
  return found;
}
