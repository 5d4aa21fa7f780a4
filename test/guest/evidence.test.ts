import { describe, expect, it } from 'vitest';
import { evidenceIn } from '../../src/guest/evidence.js';

describe('the evidence of a failure', () => {
  it('is the error with the lines that belong to it, without what worked', () =>
    expect(
      evidenceIn([
        '2026-11-23T02:00:00Z: starting apt-get update',
        '2026-11-23T02:00:01Z: Hit:1 http://a trixie InRelease',
        '2026-11-23T02:00:01Z: Err:2 https://enterprise.proxmox.com/debian/pbs trixie InRelease',
        '  401  Unauthorized [IP: 192.0.2.7 443]',
        '2026-11-23T02:00:02Z: Reading package lists...',
      ]),
    ).toEqual([
      'Err:2 https://enterprise.proxmox.com/debian/pbs trixie InRelease',
      '  401  Unauthorized [IP: 192.0.2.7 443]',
    ]));

  it('has what a hook or a script said before it failed', () =>
    expect(
      evidenceIn([
        'Setting up postfix (3.10) ...',
        'postfix: fatal: bad value',
        'dpkg: error processing package postfix (--configure):',
        ' installed postfix package post-installation script subprocess returned error exit status 1',
        'Errors were encountered while processing:',
        ' postfix',
        'E: Sub-process /usr/bin/dpkg returned an error code (1)',
      ]),
    ).toEqual([
      'postfix: fatal: bad value',
      'dpkg: error processing package postfix (--configure):',
      ' installed postfix package post-installation script subprocess returned error exit status 1',
      'E: Sub-process /usr/bin/dpkg returned an error code (1)',
    ]));

  it('is what was said last where nothing is an error, and never more than twelve lines', () => {
    const many = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    expect(evidenceIn(many)).toEqual(many.slice(-12));
    expect(evidenceIn(many.map((each) => `E: ${each}`))).toHaveLength(12);
  });

  it('has no password and no control character', () =>
    expect(
      evidenceIn(['E: Failed to fetch https://user:s3cret@apt.example/x\u001b[31m 404\u0007 Not Found']),
    ).toEqual(['E: Failed to fetch https://***@apt.example/x 404 Not Found']));

  it('is read from the journal of a unit, too', () =>
    expect(
      evidenceIn([
        'Nov 23 02:00:01 pbs01 sh[42]: E: Unable to fetch some archives, maybe run apt-get update?',
      ]),
    ).toEqual(['E: Unable to fetch some archives, maybe run apt-get update?']));
});
