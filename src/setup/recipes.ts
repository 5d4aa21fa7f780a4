import { basename, dirname } from 'node:path';
import { type Config, config as configFile, type SecretReference } from '../config/schema.js';
import { targetOf } from '../config/target.js';
import { upgradeFiles } from '../guest/upgrade-script.js';

/** A file that `init` prints, and its destination. */
export interface Recipe {
  readonly path: string;
  readonly text: string;
  /** Hosts of the config that the file is for, where it is not for the controller. */
  readonly hosts?: readonly string[];
}

/**
 * A service that patches every host of the config, and its timer. What is not safe is postponed (exit 75, not a
 * failure).
 * @param config whose secrets become credentials; null: the names of the README
 * @param path of that config
 */
export function systemdFiles(config: Config | null, path: string | null): Recipe[] {
  return [
    { path: 'pbs-ctl.service', text: service(config, path ?? '/etc/pbs-ctl/config.json') },
    { path: 'pbs-ctl.timer', text: TIMER },
  ];
}

function service(config: Config | null, path: string): string {
  const references = config ? secretsOf(config) : DEFAULT;
  return `[Unit]
Description=Patch Proxmox Backup Server hosts
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
# --wait: if it is not safe now, wait up to 3 hours for a safe time.
ExecStart=/usr/bin/env pbs-ctl patch --all --keep-going --wait 3h
# Postponed is not a failure: the report says why, and the next run tries again.
SuccessExitStatus=75
# A run can wait for an upgrade and a reboot; it has its own time limits.
TimeoutStartSec=infinity
# When stopped it waits for what runs, and begins nothing else: a dpkg for upgradeTimeout at most (60 min), a boot and
# its verification for rebootTimeout and a quarter of it (25 min). What is killed after that is resumed by the next patch.
TimeoutStopSec=90min

# The config and the secrets belong to root, mode 600; the service runs as a separate user and reads copies.
DynamicUser=yes
StateDirectory=pbs-ctl
StateDirectoryMode=0700
LoadCredential=config.json:${path}
Environment=PBS_CTL_CONFIG=%d/config.json
${references.map((reference) => credentialLines(reference, dirname(path))).join('\n')}

UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: the JavaScript engine compiles code at run time.
`;
}

const TIMER = `[Unit]
Description=Patch Proxmox Backup Server hosts every Sunday night

[Timer]
# With "reboot": "always" every run reboots once. For a timer that tries every night, set "reboot": "after-upgrade".
OnCalendar=Sun *-*-* 02:00
RandomizedDelaySec=10min
# No catching up after the machine was off: a run belongs in the night.
Persistent=no

[Install]
WantedBy=timers.target
`;

const DEFAULT: readonly SecretReference[] = [{ credential: 'pve-token' }, { credential: 'pbs01-token' }];

function credentialLines(reference: SecretReference, folder: string): string {
  if ('credential' in reference)
    return `LoadCredential=${reference.credential}:${folder}/${reference.credential}`;
  if ('env' in reference)
    return `# $${reference.env}: prefer a credential to the environment, which child processes inherit:\n#LoadCredential=${reference.env}:${folder}/${reference.env}`;
  const name = basename(reference.file).replace(/[^A-Za-z0-9._-]/g, '-');
  return `# In the config, instead of {"file": "${reference.file}"}: {"credential": "${name}"}\nLoadCredential=${name}:${reference.file}`;
}

function secretsOf({ clusters, hosts, notify }: Config): SecretReference[] {
  const all = [
    ...Object.values(clusters).map(({ secret }) => secret),
    ...Object.values(hosts).map(({ secret }) => secret),
    ...(notify.slack ? [notify.slack.webhook] : []),
    ...(notify.webhook ? [notify.webhook.secret] : []),
  ];
  return [...new Map(all.map((reference) => [JSON.stringify(reference), reference])).values()];
}

const UNIT = 'pbs-ctl-upgrade.service';

/**
 * The unit and the script that an administrator installs on a host with `"upgrade": {"via": "service"}`. The
 * policy is part of the script, so hosts whose policies differ get separate files.
 * @param config null: unit name and policy are the defaults
 */
export function unitFiles(config: Config | null): Recipe[] {
  const { hosts: all, policy: common } = config ?? configFile.parse({ clusters: {}, hosts: {} });
  const targets = config ? Object.keys(all).map((host) => targetOf(config, host)) : [];
  const byService = targets.filter(({ upgradeUnit }) => upgradeUnit !== null);
  if (byService.length === 0) return [...upgradeFiles(UNIT, common)];
  const sets = new Map<string, { files: readonly Recipe[]; hosts: string[] }>();
  for (const { host, upgradeUnit, policy } of byService) {
    const files = upgradeFiles(upgradeUnit ?? UNIT, policy);
    const key = JSON.stringify(files);
    const same = sets.get(key);
    if (same) same.hosts.push(host);
    else sets.set(key, { files, hosts: [host] });
  }
  return [...sets.values()].flatMap(({ files, hosts }) => files.map((file) => ({ ...file, hosts })));
}
