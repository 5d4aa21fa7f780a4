import { describe, expect, it } from 'vitest';
import { findingsText } from '../../src/report/findings-text.js';
import { finding } from './documents.js';

const text = (...findings: Parameters<typeof findingsText>[1]) =>
  findingsText('pbs01', findings, { color: false, columns: 80, retryAfter: null }).split('\n');

describe('a table of findings', () => {
  it('has below each finding its commands, whole, and where they are run', () => {
    const command = `pveum role add PbsCtlAudit -privs "${'Sys.Audit '.repeat(12)}"`;
    const lines = text(
      finding({ fixes: [{ where: 'a node of main', commands: [command, 'pvecm status'] }] }),
    );
    const at = lines.indexOf('      a node of main:');
    expect(lines.slice(at + 1, at + 3)).toEqual([`        ${command}`, '        pvecm status']);
  });

  it('prints the same commands for the same machine once', () => {
    const fixes = [{ where: 'pbs01', commands: ['apt-get update'] }];
    const lines = text(finding({ fixes }), finding({ id: 'pbs.jobs', fixes }));
    expect(lines.filter((line) => line.includes('apt-get update'))).toHaveLength(1);
    expect(lines).toContain('      pbs01: as above');
  });

  it('says once what stops several checks', () => {
    const summary = 'Cannot reach PBS "pbs01" (https://127.0.0.1:8007): connection refused';
    const lines = text(
      finding({ id: 'pbs.api', status: 'block', summary }),
      finding({ id: 'pbs.tasks', status: 'block', summary }),
    );
    expect(lines).toContain('  block pbs.tasks  the same as pbs.api');
  });

  it('draws nothing of its own with names and commands that come from elsewhere', () => {
    const fixes = [{ where: '\u001b[31mpbs01\n', commands: ['echo\n\u001b[2J'] }];
    expect(text(finding({ fixes })).join('')).not.toMatch(/\p{Cc}/u);
  });
});
