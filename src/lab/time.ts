/**
 * Time of the lab. Its clocks tell real time; simulated durations pass `factor` times faster than on
 * real machines, so that clocks agree with everybody else's while a boot takes seconds.
 */
export class LabTime {
  readonly factor: number;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(factor: number) {
    this.factor = factor;
  }

  /** Epoch seconds. */
  now(): number {
    return Math.floor(Date.now() / 1000);
  }

  /** Calls back after so many simulated seconds. */
  after(simulatedSeconds: number, act: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        act();
      },
      (simulatedSeconds * 1000) / this.factor,
    );
    this.#timers.add(timer);
  }

  sleep(simulatedSeconds: number): Promise<void> {
    return new Promise((resolve) => this.after(simulatedSeconds, resolve));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
