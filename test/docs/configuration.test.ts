import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { jsonSchema } from '../../src/config/schema.js';

const page = readFileSync('docs/configuration.md', 'utf8');
const { configurationPage } = await import(resolve('tools/configuration-page.mjs'));

it('docs/configuration.md is what tools/configuration-page.mjs makes of the schema and the example', () => {
  const example = JSON.parse(readFileSync('config.example.json', 'utf8'));
  expect(page).toBe(configurationPage(JSON.parse(JSON.stringify(jsonSchema())), example));
});

it('every key of the config is on the page once, with a type and a meaning', () => {
  const rows = [...page.matchAll(/^## (.+)$|^\| `(.+?)` \| (.*?) \| (.*?) \| (.*?) \| .*\|$/gm)];
  let section = '';
  const keys: string[] = [];
  for (const [, heading, key, type, , meaning] of rows) {
    if (heading !== undefined) section = heading;
    else {
      keys.push(`${section}: ${key}`);
      expect({ key, type, meaning }).toEqual({
        key,
        type: expect.stringMatching(/^(?!.*\bobject or object\b)./),
        meaning: expect.stringMatching(/^[A-Z].+[^.]$/),
      });
    }
  }
  expect(keys).toHaveLength(new Set(keys).size);
  expect(keys.length).toBeGreaterThan(60);
});

it('no key of the schema lacks a description', () => {
  const missing: string[] = [];
  const look = (form: Form, path: string) => {
    const inner = form.anyOf?.find(({ type }) => type === 'object') ?? form;
    for (const each of [inner, ...(inner.oneOf ?? []), ...(inner.items ? [inner.items] : [])])
      for (const [key, value] of Object.entries(each.properties ?? {})) {
        const isGroup = value.properties !== undefined && value.description === undefined;
        if (!isGroup && !value.description) missing.push(`${path}${key}`);
        look(value, `${path}${key}.`);
      }
    if (typeof inner.additionalProperties === 'object') look(inner.additionalProperties, `${path}NAME.`);
  };
  look(jsonSchema() as Form, '');
  // Named by their keys, which are people's.
  expect(missing).toEqual(['clusters', 'hosts']);
});

interface Form {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Form>>;
  readonly additionalProperties?: Form | boolean;
  readonly items?: Form;
  readonly anyOf?: readonly Form[];
  readonly oneOf?: readonly Form[];
}
