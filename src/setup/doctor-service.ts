import type { Finding } from '../journal/document.js';
import { about, type Diagnosis } from './diagnosis.js';

/** The finding of `pbs.api`: the proxy answers, and the daemon behind it? */
export function daemonDiagnosis(subject: string, host: string, finding: Finding): Diagnosis {
  const { pass, block } = about(subject, 'daemon');
  if (finding.status === 'pass') return pass('proxy and privileged daemon answer');
  const down = finding.detail.error === 'pbs.daemon-down';
  return block(finding.summary, {
    mends: down
      ? [
          {
            where: host,
            commands: ['systemctl restart proxmox-backup.service', 'journalctl -u proxmox-backup -n 50'],
          },
        ]
      : [],
    detail: finding.detail,
  });
}

/** The finding of `pbs.apt`: are there repositories to upgrade from? */
export function repositoryDiagnosis(subject: string, host: string, finding: Finding): Diagnosis {
  const { pass, warn, block } = about(subject, 'packages');
  if (finding.status === 'pass') return pass(finding.summary);
  if (finding.status === 'warn') return warn(finding.summary);
  const none = /no Proxmox repository/.test(finding.summary);
  return block(finding.summary, {
    hint: none ? 'Without a subscription the handle is "no-subscription" instead of "enterprise".' : null,
    mends: [
      {
        where: host,
        commands: none
          ? ['proxmox-backup-debug api set /nodes/localhost/apt/repositories --handle enterprise']
          : ['apt-get update'],
      },
    ],
  });
}

export function clockDiagnosis(subject: string, finding: Finding): Diagnosis {
  const { pass, block } = about(subject, 'clock');
  if (finding.status === 'pass') return pass(finding.summary);
  return block(finding.summary, {
    mends: [{ where: 'the machine named', commands: ['timedatectl', 'systemctl restart chrony'] }],
  });
}
