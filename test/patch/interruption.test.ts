import { describe, expect, it } from 'vitest';
import { listenForInterruption } from '../../src/patch/interruption.js';
import { Interrupted } from '../../src/world.js';

function listen() {
  const [first, second] = [new AbortController(), new AbortController()];
  const said: string[] = [];
  const signals = { stop: first.signal, now: second.signal, heedSignals: () => () => {} };
  const interruption = listenForInterruption(signals, (text) => said.push(text));
  return {
    interruption,
    said,
    first: (name: NodeJS.Signals = 'SIGTERM') => first.abort(new Interrupted(name)),
    second: () => second.abort(new Interrupted('SIGINT')),
  };
}
const underWay = { what: 'the upgrade runs', leftMs: () => 90_000 };

describe('the first signal', () => {
  it('stops a run at once while nothing is under way', () => {
    const { interruption, first, said } = listen();
    first();
    expect(() => interruption.throwIfStopped()).toThrow('Interrupted by SIGTERM.');
    expect(said).toEqual([expect.stringContaining('undoes what it has done')]);
  });

  it('waits for what is held, says for how long at most, and stops the run afterwards', () => {
    const { interruption, first, said } = listen();
    interruption.hold(underWay);
    first('SIGHUP');
    interruption.throwIfStopped();
    expect(said).toEqual([
      expect.stringMatching(/^SIGHUP: the upgrade runs\. It is waited for, 1m 30s at most/),
    ]);
    interruption.release();
    expect(() => interruption.throwIfStopped()).toThrow('Interrupted by SIGHUP while the upgrade runs.');
    expect(interruption.now.aborted).toBe(false);
  });

  it('no longer stops a run that only has to finish', () => {
    const { interruption, first, said } = listen();
    interruption.finish({ what: 'pbs01 reboots', leftMs: () => 1000 });
    first();
    interruption.throwIfStopped();
    expect(said).toEqual([expect.stringContaining('then the run ends as usual')]);
  });

  it('lets nothing begin that is to be held or finished', () => {
    const { interruption, first } = listen();
    first();
    expect(() => interruption.hold(underWay)).toThrow('Interrupted');
    expect(() => interruption.finish(underWay)).toThrow('Interrupted');
  });
});

describe('the second signal', () => {
  it.each(['hold', 'finish'] as const)('leaves at once, also what it has to %s', (how) => {
    const { interruption, first, second } = listen();
    interruption[how](underWay);
    first();
    second();
    expect(interruption.now.aborted).toBe(true);
    expect(interruption.now.reason).toMatchObject({ code: 'run.interrupted', exitCode: 130 });
  });
});
