import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineSocket } from './line-socket.js';

/** One life of the VM: from power-on to power-off or reset. */
export interface EmulatorOptions {
  /** Sockets, console and overlays lie here. */
  readonly folder: string;
  /** Folder of the built images. */
  readonly image: string;
  readonly kernel: string;
  /** Names of the disks, the root disk first: overlays `NAME.qcow2` in `folder`. */
  readonly disks: readonly string[];
  /** Name of a snapshot to go on from instead of booting. */
  readonly snapshot?: string;
}

export const PORTS = {
  agent: 'org.qemu.guest_agent.0',
  proxy: 'proxmox-backup-proxy',
  daemon: 'proxmox-backup',
} as const;
export type Port = keyof typeof PORTS;

/** Always software emulation: a /dev/kvm that opens is no proof that a guest starts on it. */
function argumentsOf({ folder, image, kernel, disks, snapshot }: EmulatorOptions): string[] {
  return [
    ...['-M', 'q35', '-cpu', 'qemu64', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '768'],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-rtc', 'base=utc,clock=host'],
    ...['-kernel', join(image, `vmlinuz-${kernel}`), '-initrd', join(image, `initrd-${kernel}`)],
    ...['-append', 'console=ttyS0 root=/dev/vda rw quiet mitigations=off'],
    ...['-serial', `file:${join(folder, 'console')}`],
    ...['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
    ...disks.flatMap((disk) => [
      ...['-drive', `file=${join(folder, `${disk}.qcow2`)},if=none,id=${disk},cache=unsafe`],
      ...['-device', `virtio-blk-pci,drive=${disk},serial=${disk}`],
    ]),
    ...['-device', 'virtio-serial-pci'],
    ...Object.entries(PORTS).flatMap(([id, name]) => [
      ...['-chardev', `socket,id=${id},path=${join(folder, id)},server=on,wait=off`],
      ...['-device', `virtserialport,chardev=${id},name=${name}`],
    ]),
    ...(snapshot === undefined ? [] : ['-loadvm', snapshot]),
  ];
}

export class Emulator {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #monitor: LineSocket;
  #queue: Promise<unknown> = Promise.resolve();
  #reason = 'killed';

  private constructor(child: ChildProcess, monitor: LineSocket) {
    this.#child = child;
    this.#monitor = monitor;
    this.ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** @throws Error when the emulator does not start */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    // However the tests end, no emulator outlives them.
    const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...argumentsOf(options)];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    child.stderr?.on('data', (chunk) => {
      words += String(chunk);
    });
    child.stderr?.pipe(createWriteStream(join(options.folder, 'emulator.log'), { flags: 'a' }));
    for (;;) {
      const monitor = await LineSocket.open(join(options.folder, 'qmp')).catch(() => null);
      if (child.exitCode !== null) throw new Error(`the emulator ended at once: ${words}`);
      if (!monitor) await sleep(20);
      else {
        const emulator = new Emulator(child, monitor);
        await monitor.line(60_000); // its greeting
        await emulator.execute('qmp_capabilities');
        return emulator;
      }
    }
  }

  /** Why it ended: `guest-reset`, `guest-shutdown`, `host-qmp-quit`, `killed`… */
  get reason(): string {
    return this.#reason;
  }

  /** @throws Error with the monitor's words, or when the emulator has ended */
  execute<Answer>(command: string, parameters: Record<string, unknown> = {}): Promise<Answer> {
    const asked = this.#queue.then(async () => {
      this.#monitor.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
      for (;;) {
        const line = await this.#monitor.line(60_000);
        if (!line) throw new Error(`the emulator has ended (${command})`);
        const answer = JSON.parse(line.toString()) as Record<string, unknown>;
        if (answer.event === 'SHUTDOWN')
          this.#reason = (answer.data as { reason: string } | undefined)?.reason ?? 'unknown';
        if (answer.error) throw new Error(JSON.stringify(answer.error));
        if ('return' in answer) return answer.return as Answer;
      }
    });
    this.#queue = asked.catch(() => {});
    return asked;
  }

  /** A command of the human monitor, which has the snapshots. @throws Error with what it printed */
  async monitor(line: string): Promise<void> {
    const printed = await this.execute<string>('human-monitor-command', { 'command-line': line });
    if (printed.trim() !== '') throw new Error(`${line}: ${printed}`);
  }

  /** Whether something in the guest has a port open; false when the emulator has ended. */
  async isOpen(port: Port): Promise<boolean> {
    const chardevs = await this.execute<Array<{ label: string; 'frontend-open': boolean }>>(
      'query-chardev',
    ).catch(() => []);
    return chardevs.some(({ label, 'frontend-open': open }) => label === port && open);
  }

  /**
   * As if the power had failed: what the guest had not written is lost. The emulator itself ends in order,
   * since what the guest had written stands in part in tables that the emulator keeps in memory.
   */
  async kill(): Promise<void> {
    await this.execute('quit').catch(() => this.#child.kill('SIGKILL'));
    await this.ended;
  }
}
