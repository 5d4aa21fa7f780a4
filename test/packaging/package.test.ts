import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-package-'));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
/** Away from the sources, so that nothing is found there by accident. */
const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: tmpdir(), encoding: 'utf8', stdio: 'pipe' });

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: ReadonlyArray<{ readonly path: string; readonly mode: number }>;
}

afterAll(() => rmSync(folder, { recursive: true }));

describe('the package', () => {
  let packed: Packed;
  const paths = () => packed.files.map(({ path }) => path);

  beforeAll(() => {
    // Without scripts: the suite was built before, and other tests use the build meanwhile.
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    [packed] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8', stdio: 'pipe' }));
  });

  it('is small, and holds the program, its documents and nothing of how it is made', () => {
    expect(packed.size).toBeLessThan(600_000);
    const tops = new Set(paths().map((path) => path.split('/')[0]));
    expect([...tops].sort()).toEqual(
      [
        ...['CHANGELOG.md', 'LICENSE', 'README.md', 'config.example.json', 'package.json'],
        ...['dist', 'docs', 'packaging'],
      ].sort(),
    );
    expect(paths()).toEqual(expect.arrayContaining(['dist/pbs-ctl.1']));
    expect(paths().filter((path) => /\.(ts|map|tgz)$|test/.test(path))).toEqual([]);
  });

  it('holds every stand-in of the lab, those that are programs executable', () => {
    const stem = 'dist/lab/machine/toolbox/';
    const within = packed.files.filter(({ path }) => path.startsWith(stem));
    const names = within.map(({ path }) => path.slice(stem.length)).sort();
    expect(names).toEqual(readdirSync('src/lab/machine/toolbox').sort());
    const idle = within.filter(({ path, mode }) => !/\.\w+$/.test(path) && (mode & 0o111) === 0);
    expect(idle).toEqual([]);
  });

  it('runs from where it is unpacked', () => {
    execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
    symlinkSync(resolve('node_modules'), join(folder, 'package/node_modules'));
    const { bin } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'));
    const program = join(folder, 'package', bin['pbs-ctl']);
    expect(node(program, '--version').trim()).toBe(version);
    expect(node(program, 'lab', '--list')).toContain('\nbackup-running ');
  });
});

describe('the single file', () => {
  it('runs alone, the lab in it, and comes with the licences of what is in it', () => {
    const file = join(folder, 'alone/pbs-ctl.mjs');
    execFileSync(process.execPath, ['tools/single-file.mjs', file], { stdio: 'pipe' });
    expect(readdirSync(join(folder, 'alone')).sort()).toEqual(['licences.txt', 'pbs-ctl.mjs']);
    expect(node(file, '--version').trim()).toBe(version);
    expect(node(file, 'lab', '--list')).toContain('\nbackup-running ');
    const licences = readFileSync(join(folder, 'alone/licences.txt'), 'utf8');
    for (const name of ['undici', 'zod', 'commander']) expect(licences).toMatch(new RegExp(`^${name} `, 'm'));
  });

  it('is not made without a module that it has to replace', () => {
    const text = readFileSync('tools/single-file.mjs', 'utf8');
    const script = join(folder, 'moved.mjs');
    writeFileSync(script, text.replace("'src/version.ts'", "'src/moved.ts'"));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const made = spawnSync(process.execPath, [script, join(folder, 'moved/pbs-ctl.mjs')], {
      encoding: 'utf8',
    });
    expect(made.status).toBe(1);
    expect(made.stderr).toContain('nothing imports src/moved.ts');
    expect(existsSync(join(folder, 'moved'))).toBe(false);
  });

  it('has nothing that looks for files beside it', () => {
    const text = readFileSync(join(folder, 'alone/pbs-ctl.mjs'), 'utf8');
    expect(text).not.toContain('../package.json');
    expect(text).not.toContain('./toolbox/');
  });
});
