import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { agentFixes } from '../../src/api/guest-agent.js';

// Debian 12 has both files, Debian 13 only the first.
it.each([
  [['qemu-ga.conf', 'qemu-guest-agent']],
  [['qemu-ga.conf']],
  [[]],
])('the command that frees guest-exec works where the guest has %j', (names: string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'));
  for (const name of names) writeFileSync(join(folder, name), '[general]\nblock-rpcs=guest-exec\n');
  const [freeing = ''] = agentFixes('agent.blocked', 900, 'pve1')[0]?.commands ?? [];
  const here = freeing.replaceAll(/\/etc\/(qemu|default)\//g, `${folder}/`);
  execFileSync('/bin/sh', ['-c', here]);
  for (const name of names)
    expect(readFileSync(join(folder, name), 'utf8')).toBe('[general]\n# block-rpcs=guest-exec\n');
  rmSync(folder, { recursive: true });
});
