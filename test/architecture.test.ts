import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** In the order in which they build on each other: a folder imports from those before it, never from those behind. */
const LEVELS = [
  'config',
  'api',
  'guest',
  'lock',
  'fence',
  'journal',
  'host',
  'schedule',
  'rules',
  'checks',
  'report',
  'patch',
  'recover',
  'setup',
  'commands',
];

/** Files of `src` itself on which every folder may build. */
const FLOOR = ['fault.ts', 'world.ts', 'poll.ts', 'moment.ts', 'printable.ts', 'version.ts'];

/** The commands that start a lab, and nothing else, know of it. */
const KNOW_THE_LAB = /^commands\/(lab|demo|completion)[^/]*\.ts$/;

interface Source {
  /** Below `src`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const SOURCES: readonly Source[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join('src', path), 'utf8');
    const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      ([, each = '']) => each,
    );
    return {
      path,
      text,
      imports: specifiers.map((each) =>
        each.startsWith('.') ? normalize(join(dirname(path), each)).replace(/\.js$/, '.ts') : each,
      ),
    };
  });
const PRODUCT = SOURCES.filter(({ path }) => !path.startsWith('lab/'));
const LAB = SOURCES.filter(({ path }) => path.startsWith('lab/'));

const folderOf = (path: string) => (path.includes('/') ? (path.split('/')[0] ?? '') : '');
const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

/** Circles of files, each named by its members. */
function circles(sources: readonly Source[]): string[] {
  const imports = new Map(sources.map(({ path, imports }) => [path, imports]));
  const found: string[] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (path: string) => {
    index.set(path, index.size);
    low.set(path, index.get(path) ?? 0);
    stack.push(path);
    for (const next of imports.get(path) ?? []) {
      if (!imports.has(next)) continue;
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(path, Math.min(low.get(path) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(path) !== index.get(path)) return;
    const members = stack.splice(stack.indexOf(path));
    if (members.length > 1) found.push(members.sort().join(' '));
  };
  for (const { path } of sources) if (!index.has(path)) visit(path);
  return found;
}

describe('the tree', () => {
  it('has the folders that are named here', () => {
    const folders = [...new Set(PRODUCT.map(({ path }) => dirname(path)))].filter((each) => each !== '.');
    expect(folders.sort()).toEqual([...LEVELS].sort());
  });

  it('imports downwards only', () => {
    const upwards = PRODUCT.flatMap(({ path, imports }) => {
      const folder = folderOf(path);
      if (folder === '' && !FLOOR.includes(path)) return [];
      const level = LEVELS.indexOf(folder);
      return imports
        .filter((each) => each.endsWith('.ts') && !each.startsWith('lab/'))
        .filter((each) =>
          folderOf(each) === '' ? !FLOOR.includes(each) : LEVELS.indexOf(folderOf(each)) > level,
        )
        .map((each) => `${path} -> ${each}`);
    });
    expect(upwards).toEqual([]);
  });

  it('has no circle of files, in the product or in the lab', () => {
    expect(circles(SOURCES)).toEqual([]);
  });
});

describe('rules', () => {
  const rules = PRODUCT.filter(({ path }) => path.startsWith('rules/'));

  it('are pure: no async, no client, no node module', () => {
    const impure = rules.flatMap(({ path, text, imports }) => [
      ...(/\b(async|await|Promise)\b/.test(code(text)) ? [`${path}: async`] : []),
      ...imports
        .filter((each) => /^node:|^undici|^api\/(pbs|pve|agent|endpoint|cluster)\.ts$/.test(each))
        .map((each) => `${path} -> ${each}`),
    ]);
    expect(impure).toEqual([]);
  });
});

describe('product and lab', () => {
  it('share no code, so that one misreading cannot hide in both', () => {
    const shared = LAB.flatMap(({ path, imports }) =>
      imports
        .filter((each) => each.endsWith('.ts') && !each.startsWith('lab/'))
        .map((each) => `${path} -> ${each}`),
    );
    expect(shared).toEqual([]);
  });

  it('meet in the commands that start the lab and nowhere else', () => {
    const knowing = PRODUCT.filter(({ imports }) => imports.some((each) => each.startsWith('lab/')))
      .map(({ path }) => path)
      .filter((path) => !KNOW_THE_LAB.test(path));
    expect(knowing).toEqual([]);
  });
});

describe('the world', () => {
  it('is reached through world.ts alone: clock, random, timers and process', () => {
    const REACH =
      /\bprocess\b(?=[.[])|\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval|Immediate)\b|\bMath\.random\b|\bAbortSignal\.timeout\b|\bperformance\.|\brandom(?:Bytes|Int|UUID)\b|node:timers/;
    const reaching = PRODUCT.filter(({ path }) => !['world.ts', 'cli.ts'].includes(path)).flatMap(
      ({ path, text }) =>
        code(text)
          .split('\n')
          .filter((line) => REACH.test(line))
          .map((line) => `${path}: ${line.trim()}`),
    );
    expect(reaching).toEqual([]);
  });
});

describe('an export', () => {
  it('has a user in another file', () => {
    const others = new Map<string, string>();
    for (const folder of ['test', 'trials', 'tools'])
      for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
        if (/\.(ts|mjs)$/.test(path))
          others.set(join(folder, path), readFileSync(join(folder, path), 'utf8'));
    for (const { path, text } of SOURCES) others.set(join('src', path), text);
    const words = new Map<string, Set<string>>();
    for (const [path, text] of others)
      for (const [word] of text.matchAll(/\b[A-Za-z_$][\w$]*/g)) {
        const users = words.get(word) ?? new Set<string>();
        words.set(word, users.add(path));
      }
    const unused = SOURCES.flatMap(({ path, text }) =>
      [
        ...text.matchAll(
          /^export (?:declare )?(?:abstract )?(?:async )?(?:const|function\*?|class|interface|type|let)\s+(\w+)/gm,
        ),
      ]
        .map(([, name = '']) => name)
        .filter((name) => [...(words.get(name) ?? [])].every((user) => user === join('src', path)))
        .map((name) => `${path}: ${name}`),
    );
    expect(unused).toEqual([]);
  });
});
