import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = 'packaging/ansible';
const PLAYBOOKS = readdirSync(FOLDER);
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const hasYaml = (() => {
  try {
    execFileSync('python3', ['-c', 'import yaml'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('the playbooks in packaging/ansible', () => {
  it('patch the hosts with one command, and take a postponement for no failure', () => {
    expect(read('patch_pbs.yml')).toContain("['pbs-ctl', 'patch', '--json']");
    expect(read('patch_pbs.yml')).toContain('failed_when: patched.rc not in [0, 75]');
  });

  it('patch PVE under the lock', () => {
    expect(read('patch_pve_under_lock.yml')).toMatch(/- lock\n\s+- hold\n/);
  });

  it.skipIf(!hasYaml).each(PLAYBOOKS)('%s is YAML, a play for the controller', (name) => {
    const load = 'import sys, json, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
    const [play] = JSON.parse(String(execFileSync('python3', ['-c', load], { input: read(name) })));
    expect(play).toMatchObject({ hosts: 'localhost', gather_facts: false });
    expect(play.tasks[0]).toHaveProperty('failed_when');
  });
});
