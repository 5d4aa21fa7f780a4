import { setTimeout as sleep } from 'node:timers/promises';
import type { GuestMachine, MachineMount, Vitals } from '../../src/lab/guest-machine.js';
import type { ExecState } from '../../src/lab/machine/agent.js';
import type { MachineEvent } from '../../src/lab/machine/boot.js';
import type { FsInfo, OsInfo } from '../../src/lab/machine/facts.js';
import type { InstalledPackage, PendingChange } from '../../src/lab/machine/packages.js';
import { readPackages, readServices, readUpdates, readVitals } from './guest-answers.js';
import type { Vm } from './vm.js';

const READ_STEP = 1024 * 1024;

/** A real Debian in a real VM, as the lab's servers want it: the agent on its socket, PBS on its ports. */
export class RealGuest implements GuestMachine {
  readonly name = 'pbs01';
  readonly vmid = 900;
  readonly vm: Vm;

  constructor(vm: Vm) {
    this.vm = vm;
  }

  get power(): 'running' | 'stopped' {
    return this.vm.runs ? 'running' : 'stopped';
  }

  ping(): Promise<boolean> {
    return this.vm.agent.ping();
  }

  async exec(command: readonly string[], input?: string): Promise<number> {
    const [path, ...arg] = command;
    const parameters = {
      path,
      arg,
      'capture-output': true,
      ...(input === undefined ? {} : { 'input-data': Buffer.from(input).toString('base64') }),
    };
    return (await this.vm.agent.ask<{ pid: number }>('guest-exec', parameters)).pid;
  }

  async execStatus(pid: number): Promise<ExecState> {
    const { exited, exitcode, signal, ...streams } = await this.vm.agent.ask<ExecAnswer>(
      'guest-exec-status',
      { pid },
    );
    if (!exited) return { exited };
    return {
      exited,
      ...(exitcode === undefined ? {} : { exitcode }),
      ...(signal === undefined ? {} : { signal }),
      ...(streams['out-data'] ? { out: Buffer.from(streams['out-data'], 'base64') } : {}),
      ...(streams['err-data'] ? { err: Buffer.from(streams['err-data'], 'base64') } : {}),
      outTruncated: streams['out-truncated'] === true,
      errTruncated: streams['err-truncated'] === true,
    };
  }

  async readFile(path: string): Promise<Buffer> {
    const handle = await this.vm.agent.ask<number>('guest-file-open', { path, mode: 'r' });
    const chunks: Buffer[] = [];
    for (let eof = false; !eof; ) {
      const read = await this.vm.agent.ask<{ 'buf-b64': string; eof: boolean }>('guest-file-read', {
        handle,
        count: READ_STEP,
      });
      chunks.push(Buffer.from(read['buf-b64'], 'base64'));
      eof = read.eof;
    }
    await this.vm.agent.ask('guest-file-close', { handle });
    return Buffer.concat(chunks);
  }

  async writeFile(path: string, text: string): Promise<void> {
    const handle = await this.vm.agent.ask<number>('guest-file-open', { path, mode: 'w' });
    await this.vm.agent.ask('guest-file-write', { handle, 'buf-b64': Buffer.from(text).toString('base64') });
    await this.vm.agent.ask('guest-file-close', { handle });
  }

  info(): Promise<unknown> {
    return this.vm.agent.ask('guest-info');
  }

  osinfo(): Promise<OsInfo> {
    return this.vm.agent.ask('guest-get-osinfo');
  }

  fsinfo(): Promise<FsInfo[]> {
    return this.vm.agent.ask('guest-get-fsinfo');
  }

  async hostName(): Promise<string> {
    return (await this.vm.agent.ask<{ 'host-name': string }>('guest-get-host-name'))['host-name'];
  }

  async vitals(): Promise<Vitals> {
    return readVitals((await this.vm.proxy.ask('answers')).output);
  }

  async mounts(): Promise<readonly MachineMount[]> {
    return readVitals((await this.vm.proxy.ask('answers')).output).mounts;
  }

  async installedPackages(): Promise<InstalledPackage[]> {
    return readPackages((await this.vm.proxy.ask('packages')).output);
  }

  async pendingUpgrades(): Promise<PendingChange[]> {
    return readUpdates((await this.vm.proxy.ask('updates')).output);
  }

  readonly services = async (): Promise<ReadonlyMap<string, string>> =>
    readServices((await this.vm.proxy.ask('services')).output);

  readonly refreshPackages = async () => {
    const { exitCode, output } = await this.vm.daemon.ask('refresh', 60_000);
    return { exitCode, lines: output.trimEnd().split('\n') };
  };

  /** Starts it without waiting, since the daemon must answer meanwhile, and asks until it has ended. */
  async startUnit(unit: string): Promise<number | null> {
    const started = await this.vm.daemon.ask(`start ${unit}`);
    if (started.exitCode !== 0) return null;
    for (;;) {
      await sleep(500);
      const { output } = await this.vm.daemon.ask(`show ${unit}`);
      if (/^ActiveState=failed$/m.test(output))
        return Number(/^ExecMainStatus=(\d+)$/m.exec(output)?.[1] ?? 1);
      if (/^ActiveState=(?:inactive|active)$/m.test(output)) return 0;
    }
  }

  async unitLines(unit: string): Promise<readonly string[]> {
    return (await this.vm.daemon.ask(`lines ${unit}`)).output.split('\n').filter(Boolean);
  }

  async reboot(): Promise<void> {
    await this.vm.daemon.ask('reboot');
  }

  reset(): Promise<void> {
    return this.vm.reset();
  }

  on(event: MachineEvent, listener: () => void): void {
    this.vm.on(event, listener);
  }

  stop(): Promise<void> {
    return this.vm.stop();
  }

  /** For tests: packages of another folder of the image wait as well. */
  async addRepository(name: 'real' | 'removal'): Promise<void> {
    await this.writeFile(
      `/etc/apt/sources.list.d/${name}.list`,
      `deb [trusted=yes] copy:/srv/repo/${name} ./\n`,
    );
    await this.sh('apt-get -q update');
  }

  /** For tests: a shell line in the guest, to its end. @throws Error when it fails */
  async sh(script: string): Promise<string> {
    const pid = await this.exec(['/bin/sh', '-c', script]);
    const deadline = performance.now() + 120_000;
    for (;;) {
      if (performance.now() > deadline) throw new Error(`in the guest, without an end: ${script}`);
      const state = await this.execStatus(pid);
      if (state.exited) {
        const [out, err] = [state.out?.toString() ?? '', state.err?.toString() ?? ''];
        if (state.exitcode !== 0) throw new Error(`in the guest: ${script}\n${out}${err}`);
        return out.trim();
      }
      await sleep(50);
    }
  }
}

interface ExecAnswer {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly 'out-data'?: string;
  readonly 'err-data'?: string;
  readonly 'out-truncated'?: boolean;
  readonly 'err-truncated'?: boolean;
}
