import { describe, expect, it } from 'vitest';
import { name, token } from '../../src/config/fields.js';
import { addressOf, fits, secretOf } from '../../src/setup/interview.js';

describe('what is typed', () => {
  it.each`
    typed                         | address
    ${'pve1'}                     | ${'https://pve1:8006'}
    ${'pve1.example.net:443'}     | ${'https://pve1.example.net:443'}
    ${'https://pve1.example.net'} | ${'https://pve1.example.net:8006'}
    ${'https://10.0.0.1:8006/'}   | ${'https://10.0.0.1:8006'}
    ${'fd00::1'}                  | ${'https://[fd00::1]:8006'}
    ${'[fd00::1]:8006'}           | ${'https://[fd00::1]:8006'}
    ${'http://pve1'}              | ${null}
    ${'https://pve1/api2'}        | ${null}
    ${'two words'}                | ${null}
  `('"$typed" is the address $address', ({ typed, address }) => {
    expect(addressOf(typed, 8006)).toBe(address);
  });

  it.each`
    typed                | reference
    ${'env:PVE_SECRET'}  | ${{ env: 'PVE_SECRET' }}
    ${'file:/etc/x'}     | ${{ file: '/etc/x' }}
    ${'file:x'}          | ${null}
    ${'credential:pve'}  | ${{ credential: 'pve' }}
    ${'credential:../x'} | ${null}
    ${'86a50ffb-369b'}   | ${null}
  `('"$typed" is the reference $reference', ({ typed, reference }) => {
    expect(secretOf(typed)).toEqual(reference);
  });
});

describe('an answer', () => {
  it.each([
    ['a name', name, 'pbs01', 'PBS 1'],
    ['a token', token, 'pbs-ctl@pve!patch', 'pbs-ctl@pve'],
  ] as const)('is taken as %s where the config takes it', (_, field, good, bad) => {
    expect(fits(field)(good)).toBeNull();
    expect(fits(field)(bad)).toMatch(/^expected /);
  });
});
