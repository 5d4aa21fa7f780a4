export type Parameters = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>;

const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;

/** A form or query; undefined is left out, lists repeat their key. */
export function encode(parameters: Parameters): string {
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      // PVE takes no other booleans than these, PBS takes them as well.
      form.append(key, typeof each === 'boolean' ? (each ? '1' : '0') : String(each));
    }
  }
  return form.toString();
}

export class TooLarge extends Error {}

/** @throws TooLarge when the body has more than 32 MiB */
export async function readBytes(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > ANSWER_LIMIT_BYTES)
      throw new TooLarge(`it is larger than ${ANSWER_LIMIT_BYTES / 1024 ** 2} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * What a server says about an error: PBS a text (labelled as JSON), PVE a document with `message` and
 * `errors`, and where PVE sends no body (401, 595, old versions) the reason phrase.
 */
export function serverWords(body: string, reasonPhrase: string): string {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return body.trim() === '' || body.trimStart().startsWith('<') ? reasonPhrase.trim() : body.trim();
  }
  if (typeof document === 'string') return document.trim();
  const { message, errors } = (document ?? {}) as { message?: unknown; errors?: unknown };
  const text = typeof message === 'string' && message.trim() !== '' ? message.trim() : reasonPhrase.trim();
  if (typeof errors !== 'object' || errors === null) return text;
  const fields = Object.entries(errors).map(([field, why]) => `${field}: ${String(why).trim()}`);
  return fields.length === 0 ? text : `${text} ${fields.join('; ')}`;
}
