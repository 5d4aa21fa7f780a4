import { pbs01, TANK } from './parts.js';
import type { Scenario } from './scenario.js';

/** What the reboot and the boot after it bring. */
export const REBOOT: readonly Scenario[] = [
  {
    name: 'mount-missing-after-reboot',
    description: 'the disk of a datastore is gone after the reboot',
    expected: 'unverified',
    machine: { boot: { losesMounts: [TANK] } },
    policy: { rebootTimeout: '16s' },
  },
  {
    name: 'services-slow',
    description: 'services and datastores take their time after the boot',
    expected: 'patched',
    machine: { boot: { servicesSeconds: 20 } },
    arrange: (lab) => {
      pbs01(lab).trouble = { datastoreSeconds: 20, service: { name: 'chrony', seconds: 15 } };
    },
  },
  {
    name: 'service-fails',
    description: 'a service that ran before does not start any more',
    expected: 'unverified',
    machine: { boot: { failsUnits: ['chrony.service'] } },
    policy: { rebootTimeout: '16s' },
    arrange: (lab) => {
      pbs01(lab).trouble = { service: { name: 'chrony', seconds: null } };
    },
  },
  {
    name: 'never-comes-back',
    description: 'the machine stops in emergency mode: running, but nothing answers',
    expected: 'failed',
    machine: { boot: { neverComesBack: 'emergency' } },
    policy: { rebootTimeout: '8s' },
  },
  {
    name: 'stays-off',
    description: 'the machine goes down and its VM stays off',
    expected: 'failed',
    machine: { boot: { neverComesBack: 'stopped' } },
    policy: { rebootTimeout: '8s' },
  },
  {
    name: 'reboot-answer-lost',
    description: 'the connection breaks before the reboot request is answered',
    expected: 'patched',
    arrange: (lab) => {
      pbs01(lab).trouble = { losesRebootAnswer: true };
    },
  },
  {
    name: 'reboot-swallowed',
    description: 'the reboot request is accepted and nothing happens',
    expected: 'failed',
    machine: { boot: { swallowsReboots: 1 } },
    policy: { rebootTimeout: '8s' },
  },
  {
    name: 'daemon-late',
    description: 'after the boot the proxy answers long before the daemon behind it',
    expected: 'patched',
    arrange: (lab) => {
      pbs01(lab).trouble = { daemonSeconds: 20 };
    },
  },
];
