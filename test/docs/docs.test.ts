import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { neededOnPbs, neededOnPve } from '../../src/api/privileges.js';
import { CHECKS } from '../../src/checks/catalogue.js';
import type { Check } from '../../src/checks/check.js';
import { SCENARIOS } from '../../src/lab/scenario.js';
import { program } from '../../src/program.js';
import { commandsIn } from './commands.js';

const DOCUMENTS = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((path) =>
  path.endsWith('.md'),
);
const read = (path: string) => readFileSync(path, 'utf8');

describe('documents', () => {
  it.each(DOCUMENTS)('%s has no relative link that leads nowhere', (path) => {
    const written = /\]\(([^)\s]+)\)|\b(?:href|src|srcset)="([^"]+)"/g;
    const links = [...read(path).matchAll(written)].map(([, link, attribute]) => link ?? attribute ?? '');
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link));
    expect(broken).toEqual([]);
  });

  it.each(DOCUMENTS)('%s has no command line that the program would not take', async (path) => {
    for (const { line, text, words } of commandsIn(read(path))) {
      expect({ place: `${path}:${line}`, text, error: await refusalOf(words) }).toMatchObject({
        error: null,
      });
    }
  });

  it('count the scenarios of the lab as they are', () => {
    expect(read('README.md').replaceAll('\n', ' ')).toContain(`names ${SCENARIOS.length} scenarios`);
    expect(read('CHANGELOG.md')).toContain(`${SCENARIOS.length} scenarios`);
  });

  it('have command lines, of every kind of code', () => {
    const found = DOCUMENTS.flatMap((path) => commandsIn(read(path)));
    expect(found.length).toBeGreaterThan(80);
    expect(commandsIn('prose pbs-ctl patch\n    pbs-ctl status | less\n').map(({ words }) => words)).toEqual([
      ['status'],
    ]);
    const [span] = commandsIn(`see \`x || pbs-ctl patch --ignore-window "a b" > file\``);
    expect(span?.words).toEqual(['patch', '--ignore-window', 'a b']);
  });

  it('would not pass with an option that does not exist', async () => {
    expect(await refusalOf(['patch', '--hots', 'pbs01'])).toContain('unknown option');
    expect(await refusalOf(['pach'])).toContain('unknown command');
    expect(await refusalOf(['report'])).toContain('missing required argument');
  });

  it('are all named by their index', () => {
    const index = read('docs/README.md');
    const missing = readdirSync('docs').filter(
      (name) => name.endsWith('.md') && name !== 'README.md' && !index.includes(`(${name})`),
    );
    expect(missing).toEqual([]);
  });
});

describe('safety.md', () => {
  it('tells of every check, in the order of the program', () => {
    const rows = tableRows(section(read('docs/safety.md'), 'The checks'));
    expect(rows.map(([id]) => code(id))).toEqual(CHECKS.map(({ id }) => id));
  });

  it('names the rounds in which each is asked again', () => {
    const rows = tableRows(section(read('docs/safety.md'), 'The checks'));
    const again = ({ rules }: Check) =>
      rules.rounds.filter((each) => each !== 'preflight' && each !== 'recheck');
    const written = Object.fromEntries(rows.map(([id, rounds]) => [code(id), rounds]));
    expect(written).toEqual(
      Object.fromEntries(CHECKS.map((each: Check) => [each.id, again(each).join(', ')])),
    );
  });
});

describe('privileges.md', () => {
  it.each`
    heading    | needs
    ${'PBS'}   | ${neededOnPbs(['NAME'], { fence: true, unit: 'UNIT' })}
    ${'PVE 9'} | ${neededOnPve(9, { guests: [1], carrier: 2, registeredTags: true })}
    ${'PVE 8'} | ${neededOnPve(8, { guests: [1], carrier: 2, registeredTags: true })}
  `('has all that a run needs on $heading, and no more', ({ heading, needs }) => {
    const rows = tableRows(section(read('docs/privileges.md'), heading)).filter(([, privilege]) =>
      privilege?.includes('.'),
    );
    const written = rows.map(([path, privilege, why]) => `${code(path)} ${code(privilege)}: ${why}`);
    const needed = (needs as ReturnType<typeof neededOnPve>).map(
      ({ path, anyOf, why }) =>
        `${path.replace('/vms/1', '/vms/VMID').replace('/vms/2', '/vms/CARRIER')} ${anyOf.join(' or ')}: ${why}`,
    );
    expect([...written].sort()).toEqual([...new Set(needed)].sort());
  });
});

describe('troubleshooting.md', () => {
  it('explains every code of an error', () => {
    const text = read('docs/troubleshooting.md');
    const missing = errorCodes().filter((each) => !text.includes(`\`${each}\``));
    expect(missing).toEqual([]);
  });
});

describe('the container of recipes.md', () => {
  const file = /```dockerfile\n([\s\S]+?)```/.exec(read('docs/recipes.md'))?.[1] ?? '';
  const lines = file
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const words = lines.map((line) => line.trim().split(/\s+/));

  it('copies only what is there, and calls only scripts that there are', () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|ENTRYPOINT|CMD)$/;
    expect(words.filter(([instruction = '']) => !known.test(instruction))).toEqual([]);
    const copied = words.flatMap(([instruction, ...paths]) =>
      instruction === 'COPY' && !paths[0]?.startsWith('--') ? paths.slice(0, -1) : [],
    );
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, name] of file.matchAll(/npm run (\S+)/g)) expect(scripts).toHaveProperty([name ?? '']);
  });

  it('does not run as root', () => {
    const last = words.map(([instruction]) => instruction).lastIndexOf('FROM');
    const user = words.slice(last).find(([instruction]) => instruction === 'USER');
    expect(user?.[1]).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('starts the file that the single-file build makes', () => {
    const entry = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(file)?.[1] ?? '[]');
    expect(entry).toEqual(['node', '/opt/pbs-ctl/pbs-ctl.mjs']);
    expect(read('tools/single-file.mjs')).toContain("'single/pbs-ctl.mjs'");
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : join(dirname(from), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}

/** As the usual renderers make them of headings. */
const anchorsOf = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

/** What commander has against the words; null where it takes them. Nothing is carried out. */
async function refusalOf(words: readonly string[]): Promise<string | null> {
  const root = program('0', { stderr: SILENT, stdout: SILENT }, false, () => async () => {});
  try {
    await root.parseAsync([...words], { from: 'user' });
    return null;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? null : error.message;
  }
}

const SILENT = { write: () => {}, isTTY: false, columns: 80, stream: process.stderr };

const section = (markdown: string, heading: string): string =>
  markdown.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

/** Cells of the rows of every table, without the heads. */
const tableRows = (markdown: string): string[][] =>
  markdown
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

const code = (cell: string | undefined) => cell?.replaceAll('`', '');

/** Codes of every Fault that the product throws, read off its sources. */
function errorCodes(): string[] {
  const sources = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return path === 'src/lab' ? [] : sources(path);
      return path.endsWith('.ts') ? [read(path)] : [];
    });
  const text = sources('src').join('\n');
  const thrown = [...text.matchAll(/(?:new (?:Api)?Fault\(\s*|\bcode: )'([a-z]+\.[a-z-]+)'/g)];
  return [...new Set(thrown.map(([, found = '']) => found))].sort();
}
