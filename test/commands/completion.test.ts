import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pbsCtl } from '../support/command.js';

const isInstalled = (shell: string) => {
  try {
    execFileSync(shell, ['-c', 'true']);
    return true;
  } catch {
    return false;
  }
};
const server = (port: number) => ({ token: 'a@pve!b', secret: { env: 'X' }, endpoint: `https://h:${port}` });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-completion-'));
  symlinkSync(resolve('dist/cli.js'), join(folder, 'pbs-ctl'));
  const { endpoint, ...cluster } = server(8006);
  const config = {
    clusters: { main: { ...cluster, endpoints: [endpoint] }, far: { ...cluster, endpoints: [endpoint] } },
    hosts: {
      pbs01: { ...server(8007), guest: { cluster: 'main', vmid: 900 } },
      'pbs-far': { ...server(8007), guest: { cluster: 'far', vmid: 901 } },
    },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program of a shell in a folder with a config, where `pbs-ctl` is the built command. */
async function within(shell: string, program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(shell, ['-c', program], {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder, PBS_CTL_CONFIG: '' },
  });
  return stdout.trim();
}

/** What each shell offers for a line whose words are given, the last being the one at the cursor. */
const SHELLS: Readonly<Record<string, (words: readonly string[]) => string>> = {
  bash: (words) => `
    source <(pbs-ctl completion bash)
    complete -p pbs-ctl >/dev/null || exit 1
    COMP_WORDS=(pbs-ctl ${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length}
    _pbs_ctl
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  // What zsh itself would draw is replaced by printing: _describe gets the name of an array.
  zsh: (words) => `
    compdef() { [[ $1 == _pbs-ctl && $2 == pbs-ctl ]] || exit 1 }
    _describe() { for each in \${(P)2}; do print -r -- \${each%%:*}; done }
    _files() { print -l -- *(N) }
    source <(pbs-ctl completion zsh)
    words=(pbs-ctl ${words.map((word) => `'${word}'`).join(' ')}) CURRENT=${words.length + 1}
    _pbs-ctl`,
  fish: (words) => `
    pbs-ctl completion fish | source
    complete -C 'pbs-ctl ${words.join(' ')}' | string replace -r '\\t.*' ''
    true`,
};

describe.each(Object.entries(SHELLS))('completion in %s', (shell, program) => {
  // Sorted, since fish does so when a script asks.
  const offered = async (...words: string[]) => (await within(shell, program(words))).split('\n').sort();

  it.skipIf(!isInstalled(shell))(
    'knows commands, options, hosts, clusters, scenarios and files',
    async () => {
      expect(await offered('pre')).toEqual(['preflight']);
      expect(await offered('lock', '')).toEqual(['acquire', 'break', 'hold', 'release', 'show']);
      expect(await offered('patch', '--host', '')).toEqual(['pbs-far', 'pbs01']);
      expect(await offered('patch', '--host', 'pbs0')).toEqual(['pbs01']);
      expect(await offered('lock', 'show', '--cluster', 'f')).toEqual(['far']);
      expect(await offered('patch', '--keep')).toEqual(['--keep-going']);
      expect(await offered('demo', '--scenario', 'lock-h')).toEqual(['lock-held']);
      expect(await offered('completion', '')).toEqual(['bash', 'fish', 'zsh']);
      expect(await offered('status', '--config', 'config')).toContain('config.json');
    },
  );
});

describe('completion', () => {
  it.skipIf(!isInstalled('bash'))('completes a real line of bash on a terminal', async () => {
    const screen = await within(
      'bash',
      // An interactive bash with a terminal of its own: what it echoes is what a person sees.
      `printf 'source <(pbs-ctl completion bash)\\npbs-ctl patch --host=pbs0\\t --chec\\t\\x01echo \\nexit\\n' |
        script -qec 'bash --norc --noprofile -i' /dev/null`,
    );
    expect(screen).toContain('pbs-ctl patch --host=pbs01 --check');
  });

  it('offers nothing, and no error, where the config cannot be read', async () => {
    const { code, stdout, stderr } = await pbsCtl(['complete', '--', 'patch', '--host', ''], {
      PBS_CTL_CONFIG: '/nowhere.json',
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('is not told for a shell that there is none for', async () => {
    const { code, stderr } = await pbsCtl(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('bash, zsh, fish');
  });
});
