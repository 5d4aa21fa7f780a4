import { describe, expect, it } from 'vitest';
import { rebootVerdict } from '../../src/rules/boot.js';

const before = { bootTime: 1_000_000, bootId: 'old' };
const api = (bootTime: number, uptimeSeconds: number) => ({
  uptimeSeconds,
  epochSeconds: bootTime + uptimeSeconds,
});

describe('the verdict on a reboot', () => {
  it.each`
    known    | bootId   | boot         | uptime     | elapsed | verdict           | because
    ${'old'} | ${'new'} | ${null}      | ${null}    | ${60}   | ${'rebooted'}     | ${'the kernel has a new boot id'}
    ${'old'} | ${'old'} | ${1_000_500} | ${10}      | ${60}   | ${'not-rebooted'} | ${'the same boot id outweighs a stepped clock'}
    ${null}  | ${null}  | ${1_000_500} | ${20}      | ${60}   | ${'rebooted'}     | ${'it booted later and is younger than the request'}
    ${null}  | ${null}  | ${1_000_000} | ${500_000} | ${60}   | ${'not-rebooted'} | ${'the API is back, the boot is the old one'}
    ${null}  | ${null}  | ${1_000_020} | ${30}      | ${60}   | ${'unknown'}      | ${'twenty seconds may be a stepped clock'}
    ${null}  | ${null}  | ${1_000_500} | ${90}      | ${60}   | ${'unknown'}      | ${'it booted before the request, by another user'}
    ${null}  | ${null}  | ${1_000_500} | ${61}      | ${60}   | ${'rebooted'}     | ${'uptime and time are read a moment apart'}
    ${null}  | ${null}  | ${1_000_500} | ${62}      | ${60}   | ${'unknown'}      | ${'two seconds are more than a moment'}
    ${'old'} | ${null}  | ${null}      | ${null}    | ${60}   | ${'unknown'}      | ${'nothing answers'}
    ${'old'} | ${null}  | ${1_000_500} | ${20}      | ${60}   | ${'rebooted'}     | ${'the agent is late, the times prove it'}
  `('is $verdict when $because', ({ known, bootId, boot, uptime, elapsed, verdict }) => {
    const seen = { bootId, api: boot === null ? null : api(boot, uptime) };
    expect(rebootVerdict({ ...before, bootId: known }, elapsed, seen)).toBe(verdict);
  });

  it('takes an uptime shorter than before the request for a boot, whatever any clock says', () => {
    const grown = { ...before, bootId: null, uptimeSeconds: 90_000 };
    // The clock of the controller was ahead at the request: less time than the uptime seems to have passed since.
    expect(rebootVerdict(grown, 60, { bootId: null, api: api(1_000_500, 7200) })).toBe('rebooted');
    expect(rebootVerdict(grown, 60, { bootId: null, api: api(999_000, 7200) })).toBe('rebooted');
    expect(rebootVerdict(grown, 60, { bootId: null, api: api(1_000_500, 90_060) })).not.toBe('rebooted');
    expect(rebootVerdict({ ...grown, bootId: 'old' }, 60, { bootId: 'old', api: api(1_000_500, 10) })).toBe(
      'not-rebooted',
    );
  });
});
