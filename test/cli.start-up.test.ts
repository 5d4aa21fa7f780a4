import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What a process of the built command prints, and the libraries it loads on the way, as V8 itself tells. */
function run(...args: string[]): { stdout: string; libraries: string[]; modules: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-loaded-'));
  try {
    const { stdout } = spawnSync(process.execPath, ['dist/cli.js', ...args], {
      encoding: 'utf8',
      env: { ...process.env, NODE_V8_COVERAGE: folder },
    });
    const urls = readdirSync(folder).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url);
    });
    const libraries = urls.flatMap(
      (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.slice(1, 2) ?? [],
    );
    const modules = urls.flatMap((url) => /\/dist\/(.*)$/.exec(url)?.slice(1, 2) ?? []);
    return {
      stdout,
      libraries: [...new Set(libraries)],
      modules: modules.filter((name) => !name.includes('/')),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a command loads nothing that it does not need', () => {
  it.each(['--version', '-V'])('%s: no library, and nothing of the program', (option) => {
    const { libraries, modules } = run(option);
    expect({ libraries, modules: modules.sort() }).toEqual({
      libraries: [],
      modules: ['cli.js', 'version.js'],
    });
  });

  it.each([[['--help']], [['patch', '--help']]])('%j: only what reads arguments', (args) => {
    expect(run(...args).libraries).toEqual(['commander']);
  });

  it('the schema of the config: nothing that speaks to servers', () => {
    expect(run('schema').libraries.sort()).toEqual(['commander', 'leven', 'zod']);
  });

  it('preflight: no console, no picture, no certificate of the lab', () => {
    const { libraries } = run('preflight', '--host', 'nobody', '--config', 'config.example.json');
    expect(libraries).toContain('undici');
    expect(libraries.filter((name) => ['ws', 'pngjs', '@slack/webhook'].includes(name))).toEqual([]);
  });
});
