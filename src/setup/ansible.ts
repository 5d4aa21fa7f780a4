import type { Recipe } from './recipe.js';

/** Tasks for a playbook: one that patches the PBS hosts, one that patches PVE under the same lock. */
export function ansibleTasks(): Recipe[] {
  return [
    { path: 'patch_pbs.yml', text: PATCH_PBS },
    { path: 'patch_pve_under_lock.yml', text: PATCH_PVE },
  ];
}

const PATCH_PBS = `# Takes the place of a role that upgrades and reboots PBS hosts over SSH. Runs where pbs-ctl is installed.
- name: Patch the Proxmox Backup Servers
  hosts: localhost
  gather_facts: false
  vars:
    pbs_hosts: [pbs01]
  tasks:
    # One command for all: it takes them in this order, and after one that fails it does not touch the next.
    - name: Patch the hosts
      ansible.builtin.command:
        argv: "{{ ['pbs-ctl', 'patch', '--json'] + (['--host'] | product(pbs_hosts) | flatten) }}"
      register: patched
      # 0: patched. 75: not safe now, the next play tries again. All else needs a person.
      failed_when: patched.rc not in [0, 75]
      changed_when: runs | selectattr("outcome", "defined") | selectattr("outcome", "in", ["patched", "reboot-pending"]) | list | length > 0
      vars: &documents
        # With several hosts the documents stand in a list; an error before any run has no outcome.
        runs: "{{ (patched.stdout | from_json).runs | default([patched.stdout | from_json]) }}"

    - name: Tell what was put off
      ansible.builtin.debug:
        msg: "{{ item.host }}: {{ item.outcome }}, expected to be safe from {{ item.retryAfter or 'a time that is not known' }}"
      loop: "{{ runs | selectattr('outcome', 'defined') | selectattr('outcome', 'in', ['postponed', 'reboot-pending']) | list }}"
      loop_control:
        label: "{{ item.host }}"
      vars: *documents
`;

const PATCH_PVE = `# Whoever patches PVE takes the lock of the cluster, so that no PBS is patched meanwhile, and none is while one is.
- name: Patch the PVE nodes under the lock of pbs-ctl
  hosts: localhost
  gather_facts: false
  vars:
    pve_cluster: main
  tasks:
    - name: Run the playbook of the nodes, renewing the lock while it runs
      ansible.builtin.command:
        argv:
          - pbs-ctl
          - lock
          - hold
          - --cluster
          - "{{ pve_cluster }}"
          - --owner
          - pve-patching
          - --wait
          - 1h
          - --
          - ansible-playbook
          - patch_pve.yml
      register: held
      # 75: the lock was not free within the hour.
      failed_when: held.rc != 0
`;
