import type { Symptoms } from '../../src/guest/symptoms.js';

/** What a look into a guest shows in which nothing is wrong. */
export const NO_SYMPTOMS: Symptoms = {
  failedUnits: [],
  mounts: [
    { target: '/', source: '/dev/mapper/pbs-root', fstype: 'ext4' },
    { target: '/mnt/tank', source: '/dev/sdb1', fstype: 'ext4' },
  ],
  fstab: ['/', '/mnt/tank'],
  missingMounts: [],
  readOnlyMounts: [],
  audit: '',
  aptLocks: [],
  diskErrors: [],
  space: [{ target: '/', availableBytes: 20e9, totalBytes: 32e9 }],
};
