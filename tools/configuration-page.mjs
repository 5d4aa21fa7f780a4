// Writes docs/configuration.md from the schema of the config and the values of config.example.json.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SECTIONS = [
  {
    title: 'Clusters',
    path: 'clusters.NAME',
    lead: 'Each PVE cluster, or single node, by a name of your choice.',
  },
  { title: 'Hosts', path: 'hosts.NAME', lead: 'Each Proxmox Backup Server, by a name of your choice.' },
  {
    title: 'Policy',
    path: 'policy',
    lead: 'What holds for every host. `hosts.NAME.policy` overrides it key by key; `patch --reboot` overrides `reboot` for one run.',
  },
  { title: 'Notifications', path: 'notify', lead: 'Who is told how a run ended.' },
  { title: 'Everything else', path: '', lead: 'Keys at the top of the file.' },
];

/** The page: every key once, in the order of the schema. */
export function configurationPage(schema, example) {
  const rows = rowsOf(schema, '');
  const taken = new Set();
  const sections = SECTIONS.map(({ title, path, lead }) => {
    const own = rows.filter(
      (row) => !taken.has(row.path) && (path === '' || row.path.startsWith(`${path}.`)),
    );
    for (const row of own) taken.add(row.path);
    const lines = own.map((row) => line(row, path, example));
    return [
      `## ${title}`,
      '',
      lead,
      '',
      '| key | type | default | meaning | example |',
      '| --- | --- | --- | --- | --- |',
      ...lines,
      '',
    ];
  });
  return [HEAD, ...sections.map((each) => each.join('\n'))].join('\n');
}

const HEAD = `# Configuration

One JSON file. It is found by \`--config\`, then \`$PBS_CTL_CONFIG\`, \`./config.json\`,
\`$XDG_CONFIG_HOME/pbs-ctl/config.json\` and \`/etc/pbs-ctl/config.json\`. An unknown key is an error that names the
nearest known key. [\`config.example.json\`](../config.example.json) is valid and complete, and the examples here are
its values; \`pbs-ctl schema\` prints the JSON Schema for an editor (\`"$schema"\` is allowed). This page is made from
that schema.

A **duration** is \`90s\`, \`20m\`, \`2h\`, \`1d\`, \`500ms\` or a number of seconds; a **size** is \`512MiB\`, \`2GiB\` or a
number of bytes.
A **secret** is never in the file itself: \`{"env": "NAME"}\`, \`{"file": "/path"}\` (readable by its owner only) or
\`{"credential": "NAME"}\` (systemd). There is no switch that turns certificate checks off.
`;

/** A row for each key that a person writes. */
function rowsOf(schema, path) {
  const open = schema.properties ?? {};
  const named = typeof schema.additionalProperties === 'object' ? { NAME: schema.additionalProperties } : {};
  const mandatory = new Set(schema.required ?? []);
  return Object.entries({ ...open, ...named }).flatMap(([key, value]) => {
    if (key === '$schema' || /^hosts\.NAME\.policy\./.test(`${path}.${key}`)) return [];
    const here = path === '' ? key : `${path}.${key}`;
    const inner = nullable(value).inner;
    const own =
      key === 'NAME' || !value.description
        ? []
        : [{ path: here, schema: value, required: mandatory.has(key) }];
    if (here === 'hosts.NAME.policy' || inner.title !== undefined) return own;
    if (inner.oneOf) return [...own, ...rowsOf(merged(inner.oneOf), here)];
    if (inner.items?.properties) return [...own, ...rowsOf(inner.items, `${here}[]`)];
    return [...own, ...rowsOf(inner, here)];
  });
}

/** The forms of an object as one: a key that differs takes any of their values, and only what all need is needed. */
function merged(forms) {
  const keys = [...new Set(forms.flatMap(({ properties }) => Object.keys(properties)))];
  const property = (key) => {
    const all = forms.flatMap(({ properties }) => properties[key] ?? []);
    return all.length === 1 ? all[0] : { ...all[0], enum: all.map((each) => each.const) };
  };
  return {
    properties: Object.fromEntries(keys.map((key) => [key, property(key)])),
    required: keys.filter((key) => forms.every(({ required = [] }) => required.includes(key))),
  };
}

function nullable(schema) {
  const others = schema.anyOf?.filter(({ type }) => type !== 'null');
  return others?.length === 1 && others.length < schema.anyOf.length
    ? { inner: others[0], isNullable: true }
    : { inner: schema, isNullable: false };
}

function line({ path, schema, required }, section, example) {
  const key = section === '' ? path : path.slice(section.length + 1);
  const value = 'default' in schema ? json(schema.default) : required ? '**required**' : '';
  const shown = exampleOf(example, path.split('.'));
  return `| ${[`\`${key}\``, typeOf(schema), value, schema.description ?? '', shown === undefined || isObject(shown) ? '' : json(shown)].map(escaped).join(' | ')} |`;
}

function typeOf(schema) {
  const { inner, isNullable } = nullable(schema);
  const name =
    inner.title ??
    (inner.enum
      ? inner.enum.map((each) => `\`${each}\``).join(', ')
      : inner.type === 'array'
        ? `list of ${typeOf(inner.items)}`
        : inner.anyOf
          ? inner.anyOf.map(typeOf).join(' or ')
          : inner.const !== undefined
            ? `\`${inner.const}\``
            : [inner.type ?? 'object'].flat().join(' or '));
  return isNullable ? `${name} or null` : name;
}

function exampleOf(value, [key, ...rest]) {
  if (key === undefined || value === null || typeof value !== 'object') return value;
  if (key.endsWith('[]')) return exampleOf(value[key.slice(0, -2)]?.[0], rest);
  if (key === 'NAME')
    return Object.values(value)
      .map((each) => exampleOf(each, rest))
      .find((each) => each !== undefined);
  return key in value ? exampleOf(value[key], rest) : undefined;
}

function isObject(value) {
  return (
    value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 2
  );
}

function json(value) {
  const text = JSON.stringify(value).replaceAll(',"', ', "');
  return `\`${text.length > 60 ? `${text.slice(0, 57)}…` : text}\``;
}

function escaped(cell) {
  return cell.replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const schema = JSON.parse(execFileSync(process.execPath, ['dist/cli.js', 'schema'], { encoding: 'utf8' }));
  const example = JSON.parse(readFileSync('config.example.json', 'utf8'));
  writeFileSync('docs/configuration.md', configurationPage(schema, example));
}
