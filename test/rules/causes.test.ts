import { describe, expect, it } from 'vitest';
import { evidenceIn } from '../../src/guest/evidence.js';
import { adviceOf } from '../../src/rules/advice.js';
import { causesIn } from '../../src/rules/causes.js';

/** Outputs of apt 2.6 and 3.0, of dpkg, and of tasks of PBS. */
const OUTPUTS: ReadonlyArray<readonly [string, kind: string, what: string, output: string]> = [
  [
    'the enterprise repository without a subscription',
    'no-subscription',
    'enterprise.proxmox.com',
    `2026-11-23T02:00:01+01:00: Hit:1 http://deb.debian.org/debian trixie InRelease
2026-11-23T02:00:01+01:00: Err:2 https://enterprise.proxmox.com/debian/pbs trixie InRelease
  401  Unauthorized [IP: 192.0.2.7 443]
2026-11-23T02:00:02+01:00: Reading package lists...`,
  ],
  [
    'the same as an error of apt',
    'no-subscription',
    'enterprise.proxmox.com',
    'E: Failed to fetch https://enterprise.proxmox.com/debian/pbs/dists/trixie/InRelease  401  Unauthorized [IP: 192.0.2.7 443]',
  ],
  [
    'a password that is missing',
    'unauthorized',
    'apt.corp.example',
    'Err:1 https://apt.corp.example/x trixie InRelease\n  401  Unauthorized',
  ],
  [
    'no name server',
    'unresolved',
    'deb.debian.org',
    "Err:1 http://deb.debian.org/debian trixie InRelease\n  Temporary failure resolving 'deb.debian.org'",
  ],
  [
    'a wrong name',
    'unresolved',
    'no.example',
    "W: Failed to fetch http://no.example/InRelease  Could not resolve 'no.example'",
  ],
  [
    'no route',
    'unreachable',
    'mirror.example:80',
    'Err:1 http://mirror.example trixie InRelease\n  Could not connect to mirror.example:80 (192.0.2.7). - connect (113: No route to host)',
  ],
  [
    'a key that is missing',
    'unsigned',
    'key 1140AF8F639E0C39',
    "W: GPG error: http://download.proxmox.com/debian/pbs bookworm InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 1140AF8F639E0C39\nE: The repository 'http://download.proxmox.com/debian/pbs bookworm InRelease' is not signed.",
  ],
  [
    'a key that is missing, apt 3',
    'unsigned',
    'key 24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E',
    'Error: http://download.proxmox.com/debian/pbs trixie InRelease: Sub-process /usr/bin/sqv returned an error code (1), error message is: Missing key 24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E, which is needed to verify signature.',
  ],
  [
    'a repository without a signature',
    'unsigned',
    '',
    "E: The repository 'copy:/tmp/r ./ Release' is not signed.",
  ],
  [
    'a Release file out of date',
    'expired',
    'deb.debian.org, since 3d 4h 5min 6s',
    'E: Release file for http://deb.debian.org/debian/dists/trixie-updates/InRelease is expired (invalid since 3d 4h 5min 6s). Updates for this repository will not be applied.',
  ],
  [
    'a clock that is behind',
    'not-yet-valid',
    'deb.debian.org, by 2h 1min 3s',
    'E: Release file for http://deb.debian.org/debian/dists/trixie/InRelease is not valid yet (invalid for another 2h 1min 3s). Updates for this repository will not be applied.',
  ],
  [
    'another release',
    'changed-release',
    'repo.example',
    "E: Repository 'http://repo.example stable InRelease' changed its 'Codename' value from 'bookworm' to 'trixie'",
  ],
  [
    'a mirror in mid-sync',
    'mid-sync',
    'mirror.example',
    'Err:5 http://mirror.example/debian trixie/main amd64 Packages\n  File has unexpected size (9123 != 9111). Mirror sync in progress? [IP: 192.0.2.7 80]',
  ],
  [
    'a hash that does not match',
    'mid-sync',
    'mirror.example',
    'E: Failed to fetch http://mirror.example/pool/a.deb  Hash Sum mismatch',
  ],
  [
    'a package that is gone',
    'not-found',
    'mirror.example',
    'E: Failed to fetch http://mirror.example/pool/a.deb  404  Not Found [IP: 192.0.2.7 80]',
  ],
  [
    'a repository that is gone',
    'not-found',
    'repo.example',
    "E: The repository 'http://repo.example/x trixie Release' does not have a Release file.",
  ],
  [
    'an error of the server',
    'server',
    'mirror.example, 503',
    'E: Failed to fetch http://mirror.example/pool/a.deb  503  Service Unavailable',
  ],
  [
    'lists that are locked',
    'lists-locked',
    '1234 (apt-get)',
    'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1234 (apt-get)\nE: Unable to lock directory /var/lib/apt/lists/',
  ],
  ['archives that are locked', 'lists-locked', '', 'E: Unable to lock directory /var/cache/apt/archives/'],
  [
    'dpkg that is locked',
    'dpkg-locked',
    '181 (perl)',
    'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 181 (perl)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
  ],
  [
    'dpkg that another dpkg locks',
    'dpkg-locked',
    '181',
    'dpkg: error: dpkg frontend lock was locked by another process with pid 181',
  ],
  [
    'a full /boot',
    'full',
    '/boot/vmlinuz-6.17.4-1-pve',
    "dpkg: error processing archive /var/cache/apt/archives/proxmox-kernel-6.17.4-1-pve-signed_6.17.4-1_amd64.deb (--unpack):\n cannot copy extracted data for './boot/vmlinuz-6.17.4-1-pve' to '/boot/vmlinuz-6.17.4-1-pve.dpkg-new': failed to write (No space left on device)",
  ],
  [
    'a full /var',
    'full',
    '/var/cache/apt/archives/',
    "E: You don't have enough free space in /var/cache/apt/archives/.",
  ],
  [
    'a hook that refuses',
    'hook',
    'DPkg::Pre-Invoke',
    "** etckeeper detected uncommitted changes in /etc prior to apt run\nE: Problem executing scripts DPkg::Pre-Invoke 'if [ -x /usr/bin/etckeeper ]; then etckeeper pre-install; fi'",
  ],
  [
    'an interrupted dpkg',
    'interrupted',
    '',
    "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. ",
  ],
  [
    'a script that fails',
    'script',
    'postfix',
    'Setting up postfix (3.10) ...\npostfix: fatal: bad value\ndpkg: error processing package postfix (--configure):\n installed postfix package post-installation script subprocess returned error exit status 1',
  ],
  [
    'what does not fit together',
    'unmet',
    '',
    'E: Unable to correct problems, you have held broken packages.',
  ],
];

describe('why apt failed', () => {
  it.each(OUTPUTS)('%s is seen, named, and has an advice', (_, kind, what, output) => {
    const [first] = causesIn(evidenceIn(output.split('\n')));
    expect(first).toEqual({ kind, what });
    expect(adviceOf([first ?? expect.fail()], { host: 'pbs01', enterpriseFile: null })?.hint).not.toBe('');
  });

  it('is not known where the words say nothing of it', () => {
    expect(causesIn(['Setting up apt (2.6.2) ...'])).toEqual([]);
    expect(adviceOf([], { host: 'pbs01', enterpriseFile: null })).toBeNull();
  });

  it('names the file of the enterprise repository', () => {
    const file = '/etc/apt/sources.list.d/pbs-enterprise.list';
    const advice = adviceOf([{ kind: 'no-subscription', what: '' }], { host: 'pbs01', enterpriseFile: file });
    expect(advice?.hint).toContain(file);
  });
});
