import { describe, expect, it } from 'vitest';
import { readDpkgLog } from '../../src/guest/dpkg-log.js';

describe('the log of dpkg', () => {
  it('tells what was upgraded, installed and removed, from the first version to the last', () => {
    const log = `2026-11-23 02:01:12 upgrade openssl:amd64 3.5.4-1 3.5.4-2
2026-11-23 02:01:13 install proxmox-kernel-6.17.4-1-pve-signed:amd64 <none> 6.17.4-1
2026-11-23 02:01:14 remove libold1:amd64 1.0-1 <none>
2026-11-23 02:05:00 upgrade openssl:amd64 3.5.4-2 3.5.4-3
`;
    expect(readDpkgLog(log)).toMatchObject({
      upgraded: [{ name: 'openssl', from: '3.5.4-1', to: '3.5.4-3' }],
      installed: [{ name: 'proxmox-kernel-6.17.4-1-pve-signed', to: '6.17.4-1' }],
      removed: [{ name: 'libold1', from: '1.0-1' }],
    });
  });

  it('counts what was unpacked before, and is configured only now', () => {
    const log = `2026-11-23 02:01:12 configure proxmox-kernel-6.17.4-1-pve-signed:amd64 6.17.4-1 <none>
2026-11-23 02:01:13 upgrade openssl:amd64 3.5.4-1 3.5.4-2
2026-11-23 02:01:14 configure openssl:amd64 3.5.4-2 <none>
`;
    expect(readDpkgLog(log).upgraded).toEqual([
      { name: 'proxmox-kernel-6.17.4-1-pve-signed', from: 'unpacked', to: '6.17.4-1' },
      { name: 'openssl', from: '3.5.4-1', to: '3.5.4-2' },
    ]);
  });

  it('has nothing of a package that was installed and removed again, or put back to its version', () => {
    const log = `2026-11-23 02:01:12 install x:amd64 <none> 1
2026-11-23 02:01:13 remove x:amd64 1 <none>
2026-11-23 02:01:14 upgrade y:amd64 1 2
2026-11-23 02:01:15 upgrade y:amd64 2 1
`;
    expect(readDpkgLog(log)).toMatchObject({ upgraded: [], installed: [], removed: [] });
  });
});
