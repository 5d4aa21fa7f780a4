interface TaskName {
  readonly node: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  /** Epoch seconds. */
  readonly startedAt: number;
}

let counter = 0x100;
const hex = (value: number, width = 8) => value.toString(16).toUpperCase().padStart(width, '0');

/** PVE: no task counter, ids as they are. */
export function pveUpid({ node, type, id, user, startedAt }: TaskName): string {
  counter += 1;
  return `UPID:${node}:${hex(counter)}:${hex(0x10000 + counter)}:${hex(startedAt)}:${type}:${id}:${user}:`;
}

/** PBS: a task counter, ids escaped as systemd does. */
export function pbsUpid({ node, type, id, user, startedAt }: TaskName): string {
  counter += 1;
  return `UPID:${node}:${hex(812)}:${hex(0xd1e)}:${hex(counter)}:${hex(startedAt)}:${type}:${escapeId(id)}:${user}:`;
}

function escapeId(id: string): string {
  return [...id]
    .map((letter, index) => {
      if (letter === '/') return '-';
      const plain = /[A-Za-z0-9_.]/.test(letter) && !(letter === '.' && index === 0);
      return plain
        ? letter
        : [...Buffer.from(letter)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    })
    .join('');
}
