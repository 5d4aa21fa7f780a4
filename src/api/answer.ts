import { z } from 'zod';

// A process reads each kind of answer a few times: compiling a reader for every shape takes longer than that.
z.config({ jitless: true });

/** The envelope of both products; `data` holds the answer itself. */
export const envelope = <Answer>(data: z.ZodType<Answer>) =>
  z.object({ data }).transform((answer) => answer.data);

/** Booleans as the servers write them: Perl knows 1, 0, "1", "0" and "", JSON true and false. */
export const bool = z
  .union([z.boolean(), z.literal([0, 1, '0', '1', '', 'true', 'false', 'yes', 'no', 'on', 'off'])], {
    error: 'expected a boolean',
  })
  .transform((value) => [true, 1, '1', 'true', 'yes', 'on'].includes(value));

/** A switch in a property string, as PVE parses it: pve-common, `PVE::JSONSchema::parse_boolean`. */
export const isOn = (value: string): boolean => /^(?:1|on|yes|true)$/i.test(value.trim());

/** Numbers, also those that came out of a config file as text. */
export const number = z
  .union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a number')], {
    error: 'expected a number',
  })
  .transform(Number);

export const text = z.string();
/** A text that may also be a number, as of ids and versions that happen to be one. */
export const textOrNumber = z.union([z.string(), z.number()], { error: 'expected a text' }).transform(String);

/** Absent, null or blank becomes null. Only for fields that the servers leave out on purpose. */
export const optional = <Output>(schema: z.ZodType<Output>) =>
  z.preprocess(
    (value) => (value === undefined || (typeof value === 'string' && value.trim() === '') ? null : value),
    schema.nullable(),
  );
/** Absent or null means no. */
export const flag = z.preprocess((value) => value ?? false, bool);

/** A field as it is called on the wire, where that differs, and how it is read. */
type Field = z.ZodType | readonly [key: string, schema: z.ZodType];
type Read<Shape> = {
  readonly [Name in keyof Shape]: z.output<
    Shape[Name] extends readonly [string, infer Schema extends z.ZodType] ? Schema : Shape[Name]
  >;
};

/** An object of an answer, with our names for its fields: `wire({ id: text, nextRun: ['next-run', optional(number)] })`. */
export function wire<const Shape extends Readonly<Record<string, Field>>>(
  shape: Shape,
): z.ZodType<Read<Shape>> {
  const fields = Object.entries<Field>(shape).map(([name, field]) =>
    field instanceof z.ZodType ? ([name, name, field] as const) : ([name, ...field] as const),
  );
  return z
    .object(Object.fromEntries(fields.map(([, key, schema]) => [key, schema])))
    .transform(
      (answer) => Object.fromEntries(fields.map(([name, key]) => [name, answer[key]])) as Read<Shape>,
    );
}

/** `a=1,b=2`, where the first part may stand without its key: PBS and PVE property strings. */
export function propertyString(value: string, defaultKey: string): Record<string, string> {
  const parts = value.split(',').map((part, index): [string, string] => {
    const [, key, rest] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(part) ?? [];
    if (key !== undefined && rest !== undefined) return [key, rest];
    return [index === 0 ? defaultKey : part, part];
  });
  return Object.fromEntries(parts);
}
