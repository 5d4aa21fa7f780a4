import { describe, expect, it } from 'vitest';
import { StreamEnded } from '../../src/api/byte-stream.js';
import { takePicture, vncResponse } from '../../src/guest/rfb.js';
import { i32, scripted, u16 } from './stream.js';

const OK = i32(0);
const CHALLENGE = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const title = (text: string) => Buffer.concat([i32(text.length), Buffer.from(text)]);
/** A screen of 2 by 2, in a pixel format that nobody asked for. */
const INIT = Buffer.concat([u16(2, 2), Buffer.alloc(16), title('QEMU (pbs01)')]);
const pixel = (red: number, green: number, blue: number) => Buffer.of(blue, green, red, 0);
const RED = pixel(255, 0, 0);
const BLUE = pixel(0, 0, 255);
const raw = (x: number, y: number, w: number, h: number, ...pixels: Buffer[]) =>
  Buffer.concat([u16(x, y, w, h), i32(0), ...pixels]);
const update = (...rectangles: Buffer[]) =>
  Buffer.concat([Buffer.of(0, 0), u16(rectangles.length), ...rectangles]);
const WHOLE = update(raw(0, 0, 2, 2, RED, BLUE, BLUE, RED));
const COLOURS = [255, 0, 0, 0, 0, 255, 0, 0, 255, 255, 0, 0];

const V8 = ['RFB 003.008\n', Buffer.of(1, 2), CHALLENGE, OK, INIT] as const;

describe('the answer to the challenge of a VNC server', () => {
  it('is DES with the bits of each key byte turned round', () => {
    // Key 133457799BBCDFF1 and its text, from the classic worked example of DES; the password is that key turned round.
    const password = Buffer.from('c82cea9ed93dfb8f', 'hex').toString('latin1');
    const block = Buffer.from('0123456789abcdef', 'hex');
    expect(vncResponse(Buffer.concat([block, block]), password).toString('hex')).toBe(
      '85e813540f0ab40585e813540f0ab405',
    );
  });

  it.each`
    password       | like          | because
    ${'abcdefghX'} | ${'abcdefgh'} | ${'only eight characters count'}
    ${'abc'}       | ${'abc\0\0'}  | ${'a short one is filled up with zeros'}
  `('$because', ({ password, like }) => {
    expect(vncResponse(CHALLENGE, password)).toEqual(vncResponse(CHALLENGE, like));
  });
});

describe('a picture of an RFB screen', () => {
  it.each`
    server                              | said
    ${'3.8 with a password'}            | ${[...V8]}
    ${'3.8 without one'}                | ${['RFB 003.008\n', Buffer.of(1, 1), OK, INIT]}
    ${'3.8 that offers others as well'} | ${['RFB 003.008\n', Buffer.of(3, 19, 2, 16), CHALLENGE, OK, INIT]}
    ${'3.7 without a password'}         | ${['RFB 003.007\n', Buffer.of(1, 1), INIT]}
    ${'3.3 with a password'}            | ${['RFB 003.003\n', i32(2), CHALLENGE, OK, INIT]}
    ${'a newer one'}                    | ${['RFB 003.889\n', Buffer.of(1, 2), CHALLENGE, OK, INIT]}
  `('is taken from $server', async ({ said }) => {
    const { width, height, pixels } = await takePicture(scripted(...said, WHOLE), 'secret');
    expect({ width, height, pixels: [...pixels] }).toEqual({ width: 2, height: 2, pixels: COLOURS });
  });

  it('shares the screen, presses no key and moves no pointer', async () => {
    const stream = scripted(...V8, WHOLE);
    await takePicture(stream, 'secret');
    const sent = stream.written();
    const said = Buffer.concat([
      Buffer.from('RFB 003.008\n'),
      Buffer.of(2),
      vncResponse(CHALLENGE, 'secret'),
      Buffer.of(1),
    ]);
    expect(sent.subarray(0, said.length)).toEqual(said);
    const messages = sent.subarray(said.length);
    // SetPixelFormat, SetEncodings of two, one FramebufferUpdateRequest of everything: nothing else.
    expect([messages[0], messages[20], messages[32], messages.length]).toEqual([0, 2, 3, 42]);
  });

  it.each`
    what                                                      | messages
    ${'several rectangles'}                                   | ${[update(raw(0, 0, 2, 1, RED, BLUE), raw(0, 1, 2, 1, BLUE, RED))]}
    ${'several updates'}                                      | ${[update(raw(0, 0, 2, 1, RED, BLUE)), update(raw(0, 1, 2, 1, BLUE, RED))]}
    ${'a bell, a clipboard and colours in between'}           | ${[Buffer.of(2), Buffer.of(3, 0, 0, 0), title('text'), Buffer.of(1, 0), u16(0, 1), Buffer.alloc(6), WHOLE]}
    ${'a change of size first, after which all of it counts'} | ${[update(raw(0, 0, 1, 1, BLUE), Buffer.concat([u16(0, 0, 2, 2), i32(-223)])), WHOLE]}
  `('is put together from $what', async ({ messages }) => {
    expect([...(await takePicture(scripted(...V8, ...messages), 'x')).pixels]).toEqual(COLOURS);
  });

  it.each`
    wrong                        | said                                                                                      | code
    ${'the password'}            | ${['RFB 003.008\n', Buffer.of(1, 2), CHALLENGE, i32(1), title('Authentication failed')]}  | ${'console.refused'}
    ${'every security type'}     | ${['RFB 003.008\n', Buffer.of(2, 19, 16)]}                                                | ${'console.refused'}
    ${'the connection itself'}   | ${['RFB 003.008\n', Buffer.of(0), title('Too many security failures')]}                   | ${'console.refused'}
    ${'the greeting'}            | ${['HTTP/1.1 400']}                                                                       | ${'console.unreadable'}
    ${'a screen of no size'}     | ${['RFB 003.008\n', Buffer.of(1, 1), OK, u16(0, 0), Buffer.alloc(16), title('')]}         | ${'console.unreadable'}
    ${'a screen of absurd size'} | ${['RFB 003.008\n', Buffer.of(1, 1), OK, u16(65535, 65535), Buffer.alloc(16), title('')]} | ${'console.unreadable'}
    ${'a name without end'}      | ${['RFB 003.008\n', Buffer.of(1, 1), OK, u16(2, 2), Buffer.alloc(16), i32(-1)]}           | ${'console.unreadable'}
    ${'a rectangle outside'}     | ${[...V8, update(raw(1, 1, 2, 2, RED, RED, RED, RED))]}                                   | ${'console.unreadable'}
    ${'an encoding not wanted '} | ${[...V8, update(Buffer.concat([u16(0, 0, 2, 2), i32(7)]))]}                              | ${'console.unreadable'}
    ${'a message nobody knows'}  | ${[...V8, Buffer.of(99)]}                                                                 | ${'console.unreadable'}
  `('is refused with $code for $wrong', async ({ said, code }) => {
    await expect(takePicture(scripted(...said), 'x')).rejects.toMatchObject({ code });
  });

  it('that breaks off in the middle is none', async () => {
    await expect(takePicture(scripted(...V8, WHOLE.subarray(0, 20)), 'x')).rejects.toThrow(StreamEnded);
  });

  it('never shows the password in an error', async () => {
    const error = await takePicture(
      scripted('RFB 003.008\n', Buffer.of(1, 2), CHALLENGE, i32(1), title('Authentication failed')),
      'hunter22',
    ).catch((thrown: Error) => thrown);
    expect(String(error)).not.toContain('hunter22');
  });
});
