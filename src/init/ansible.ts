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
    - name: Patch {{ item }}
      ansible.builtin.command:
        argv: [pbs-ctl, patch, --host, "{{ item }}", --json]
      loop: "{{ pbs_hosts }}"
      register: patched
      # 0: patched. 75: not safe now, the next play tries again. All else stops this one and needs a person.
      failed_when: patched.rc not in [0, 75]
      # An error before the run, such as one of the config, has no outcome.
      changed_when: (patched.stdout | from_json).outcome | default("") in ["patched", "reboot-pending"]

    - name: Tell what was postponed
      ansible.builtin.debug:
        msg: "{{ item.item }}: {{ (item.stdout | from_json).outcome | default('not reached') }}, expected to be safe from {{ (item.stdout | from_json).retryAfter | default('an unknown time', true) }}"
      loop: "{{ patched.results }}"
      loop_control:
        label: "{{ item.item }}"
      when: item.rc == 75
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
