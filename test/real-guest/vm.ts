import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineEvent } from '../../src/lab/machine/boot.js';
import { AgentSocket } from './agent-socket.js';
import { Emulator } from './emulator.js';
import { BOOTED, DISKS, type Image } from './image.js';
import { until } from './patience.js';
import { PbsPort } from './pbs-port.js';

const LOOK_EVERY_MS = 100;

/** The VM over all its boots. A reset ends the emulator, and the next one starts with what was decided for it. */
export class Vm {
  readonly agent: AgentSocket;
  readonly proxy: PbsPort;
  readonly daemon: PbsPort;
  /** What the next start of the machine finds. */
  disks: readonly string[] = DISKS;
  kernel: string;
  /** How often it was started. */
  boots = 0;

  readonly #folder: string;
  readonly #image: Image;
  readonly #listeners = new Map<MachineEvent, Array<() => void>>();
  #emulator: Emulator | null = null;
  #resets = false;
  #apiUp = false;
  #stopped = false;

  constructor(folder: string, image: Image) {
    this.#folder = folder;
    this.#image = image;
    this.kernel = image.kernels[0] ?? '';
    this.agent = new AgentSocket(join(folder, 'agent'));
    this.proxy = new PbsPort(join(folder, 'proxy'));
    this.daemon = new PbsPort(join(folder, 'daemon'));
    mkdirSync(folder, { recursive: true });
  }

  /** For the hypervisor a machine that resets itself runs all the time. */
  get runs(): boolean {
    return this.#emulator !== null || this.#resets;
  }

  /** Goes on from the snapshot of the booted guest, with disks of its own and the clock set right. */
  async resume(): Promise<void> {
    for (const disk of DISKS)
      copyFileSync(join(this.#image.booted, `${disk}.qcow2`), join(this.#folder, `${disk}.qcow2`));
    await this.powerOn(BOOTED);
    await this.agent.ask('guest-set-time', { time: Date.now() * 1_000_000 }, 60_000);
    await this.untilApi();
  }

  async powerOn(snapshot?: string): Promise<void> {
    const { folder, kernel, disks } = { folder: this.#folder, kernel: this.kernel, disks: this.disks };
    this.boots += 1;
    const emulator = await Emulator.start({
      folder,
      image: this.#image.folder,
      kernel,
      disks,
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    this.#emulator = emulator;
    // From the second boot on the newest kernel runs, as after an upgrade that brought it.
    this.kernel = this.#image.kernels.at(-1) ?? kernel;
    void this.#follow(emulator);
  }

  /** Until the PBS in the guest takes requests. */
  async untilApi(): Promise<void> {
    await until('the PBS in the guest', () => this.#apiUp);
  }

  /** The power fails; the machine stays off. */
  async cutPower(): Promise<void> {
    const emulator = this.#emulator;
    this.#emulator = null;
    await emulator?.kill();
  }

  /** Like pulling the plug, and putting it back. */
  async reset(): Promise<void> {
    await this.cutPower();
    await this.powerOn();
  }

  on(event: MachineEvent, listener: () => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.cutPower();
  }

  async #follow(emulator: Emulator): Promise<void> {
    let ended = false;
    void emulator.ended.then(() => {
      ended = true;
    });
    while (!ended && !this.#stopped) {
      this.#tellApi(await emulator.isOpen('proxy'));
      await sleep(LOOK_EVERY_MS);
    }
    await emulator.isOpen('proxy'); // reads what the monitor told last
    this.#tellApi(false);
    if (this.#stopped || this.#emulator !== emulator) return;
    this.#resets = emulator.reason === 'guest-reset';
    this.#emulator = null;
    this.#tell('down');
    if (!this.#resets) return;
    this.#tell('booting');
    await this.powerOn();
    this.#resets = false;
  }

  /** PBS takes requests as long as its proxy in the guest has its port open. */
  #tellApi(up: boolean): void {
    if (up === this.#apiUp) return;
    this.#apiUp = up;
    this.#tell(up ? 'up' : 'going-down');
  }

  #tell(event: MachineEvent): void {
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }
}
