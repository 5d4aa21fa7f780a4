/**
 * What a running PBS task means for a reboot: `block` = it would be killed, `ignore` = it does no harm.
 * A type that is not listed blocks, since nobody knows what it does.
 * @see upstream proxmox-backup, worker types
 */
export function blocksReboot(type: string): 'block' | 'ignore' {
  return HARMLESS.has(type) ? 'ignore' : 'block';
}

const HARMLESS = new Set(['logrotate', 'notification-threshold-reset', 'benchmark']);

/** In words that an operator knows; the type itself where there are none. */
export function taskName(type: string, id: string | null): string {
  const known: Record<string, string> = {
    backup: 'backup',
    reader: 'restore',
    syncjob: 'sync job',
    sync: 'sync',
    prune: 'prune',
    prunejob: 'prune job',
    garbage_collection: 'garbage collection',
    verificationjob: 'verify job',
    termproxy: 'open console (somebody may be upgrading)',
    aptupdate: 'apt update',
  };
  return `${known[type] ?? type}${id ? ` of ${id}` : ''}`;
}
