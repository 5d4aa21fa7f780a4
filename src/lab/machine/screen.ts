/** What stands on the text screen of a machine. */
export function screenOf({
  name,
  power,
  phase,
  kernel,
  debian,
  emergency,
}: {
  readonly name: string;
  readonly power: 'running' | 'stopped';
  readonly phase: 'up' | 'going-down' | 'down' | 'booting';
  readonly kernel: string;
  readonly debian: string;
  readonly emergency: boolean;
}): readonly string[] {
  if (power === 'stopped') return [];
  if (phase === 'up') return ['', `Debian GNU/Linux ${debian} ${name} tty1`, '', `${name} login: `];
  if (phase !== 'booting') return ['[  OK  ] Reached target reboot.target - System Reboot.'];
  const loading = [`Loading Linux ${kernel} ...`, 'Loading initial ramdisk ...'];
  if (!emergency) return loading;
  return [
    ...loading,
    '[ TIME ] Timed out waiting for device dev-vdb1.device - /dev/vdb1.',
    '[DEPEND] Dependency failed for mnt-datastore-tank.mount.',
    '[DEPEND] Dependency failed for local-fs.target - Local File Systems.',
    'You are in emergency mode. After logging in, type "journalctl -xb" to view',
    'system logs, "systemctl reboot" to reboot, or "exit" to continue bootup.',
    '',
    'Give root password for maintenance',
    '(or press Control-D to continue): ',
  ];
}
