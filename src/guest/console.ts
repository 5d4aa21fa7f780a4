import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type ByteStream, StreamEnded } from '../api/byte-stream.js';
import { type ErrorDocument, errorDocument, Fault } from '../fault.js';
import { isoFromMs } from '../moment.js';
import type { Guest } from './exec.js';
import { isBlank, type Picture, pngOf, takePicture } from './rfb.js';

/** The result of a look at the console: a file, or why there is none. */
export interface ConsoleShot {
  /** A PNG file, or the text of a serial console; null where nothing could be shown. */
  readonly file: string | null;
  readonly kind: 'picture' | 'text' | null;
  /** What the reader of the file should know; null if nothing. */
  readonly note: string | null;
  readonly error: ErrorDocument | null;
}

/**
 * Saves the console of a VM to a folder, readable by its owner only: a screen may show anything. Types nothing.
 * Never throws.
 */
export async function keepConsole(guest: Guest, folder: string): Promise<ConsoleShot> {
  try {
    const shown = await readConsole(guest);
    const note = noteOn(shown);
    if (shown.kind === 'text' && shown.text === '') return { file: null, kind: 'text', note, error: null };
    const stamp = isoFromMs(guest.clock.now()).replace(/[-:]|\.\d+/g, '');
    const file = join(folder, `console-${stamp}.${shown.kind === 'picture' ? 'png' : 'txt'}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, shown.kind === 'picture' ? pngOf(shown.picture) : `${shown.text}\n`, { mode: 0o600 });
    return { file, kind: shown.kind, note, error: null };
  } catch (error) {
    return { file: null, kind: null, note: null, error: errorDocument(error) };
  }
}

type Shown =
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'text'; readonly port: string; readonly text: string };

function noteOn(shown: Shown): string | null {
  if (shown.kind === 'picture')
    return isBlank(shown.picture)
      ? 'It has only one colour: the screen is blanked, or empty. A key press in the console wakes it.'
      : null;
  return shown.text === ''
    ? `The serial console (${shown.port}) printed nothing for ${SERIAL_MS / 1000} s, and does not keep earlier output.`
    : null;
}

/** @throws Fault `console.stopped`, `console.none`, `console.refused`, `console.unreadable`, `console.ended`; ApiFault */
async function readConsole(guest: Guest): Promise<Shown> {
  const { pve, vmid } = guest;
  const place = await pve.findGuest(vmid);
  if (place?.type === 'lxc')
    throw new Fault('console.none', `Guest ${vmid} is a container: it does not have a screen.`, {
      hint: `Open its console in the web UI of PVE, or on its node:\npct console ${vmid}`,
    });
  const [{ status }, { display, serialPorts }] = await Promise.all([
    pve.guestStatus(vmid),
    pve.guestConfig(vmid),
  ]);
  if (status !== 'running')
    throw new Fault('console.stopped', `VM ${vmid} is ${status}: it has no screen.`, {
      hint: `To start it:\nqm start ${vmid}`,
    });
  if (display?.startsWith('serial')) {
    try {
      return await readSerial(guest, display);
    } catch (error) {
      // Older versions refuse the text to a token, but draw it.
      if (!(error instanceof NotShown)) throw error;
    }
  }
  if (display === 'none') {
    const [port] = serialPorts;
    if (port !== undefined) return readSerial(guest, port);
    throw new Fault('console.none', `VM ${vmid} has neither a display nor a serial console.`, {
      hint: `To add one, which takes a stop and start of the VM:\nqm set ${vmid} --vga std`,
    });
  }
  return readScreen(guest);
}

const SCREEN_LIMIT_MS = 20_000;

async function readScreen({ pve, vmid, clock, deadline }: Guest): Promise<Shown> {
  const { stream, password } = await pve.console.screen(vmid);
  const limitMs = Math.ceil(deadline?.within(SCREEN_LIMIT_MS) ?? SCREEN_LIMIT_MS);
  clock
    .timeout(limitMs)
    .addEventListener('abort', () => stream.end(`nothing came within ${Math.round(limitMs / 1000)} s`));
  try {
    return { kind: 'picture', picture: await takePicture(stream, password) };
  } catch (error) {
    throw error instanceof StreamEnded ? ended(vmid, error) : error;
  } finally {
    stream.end();
  }
}

const SERIAL_MS = 3000;

/**
 * What a serial console prints for a while. It does not keep earlier output. Nothing is typed: a key could
 * answer a prompt.
 */
async function readSerial({ pve, vmid, clock, deadline }: Guest, port: string): Promise<Shown> {
  const { stream, user, ticket } = await pve.console.serial(vmid, port);
  try {
    stream.write(Buffer.from(`${user}:${ticket}\n`));
    const greeting = await stream.read(2).catch((error: unknown) => {
      throw error instanceof StreamEnded ? new NotShown() : error;
    });
    if (greeting.toString('latin1') !== 'OK') throw new NotShown();
    // Of a terminal that is 80 by 24.
    stream.write(Buffer.from('1:80:24:'));
    const heard = collect(stream);
    await clock.sleep(deadline?.within(SERIAL_MS) ?? SERIAL_MS);
    stream.end('enough was heard');
    return { kind: 'text', port, text: readable(Buffer.concat(await heard).toString('utf8')) };
  } catch (error) {
    throw error instanceof StreamEnded ? ended(vmid, error) : error;
  } finally {
    stream.end();
  }
}

async function collect(stream: ByteStream): Promise<Buffer[]> {
  const heard: Buffer[] = [];
  for (;;) {
    try {
      heard.push(await stream.readSome());
    } catch (error) {
      if (error instanceof StreamEnded) return heard;
      throw error;
    }
  }
}

const MOST_LINES = 60;

/** Lines as on a screen: no colours, and of overwritten lines the last state. Pure. */
export function readable(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split(/\r?\n/)
    .map((line) => line.split('\r').at(-1) ?? '')
    .map((line) => line.replace(/[\p{Cc}\p{Cf}]/gu, '').trimEnd())
    .filter((line) => !line.startsWith('starting serial terminal on interface'));
  return lines.slice(-MOST_LINES).join('\n').trim();
}

/** The serial console, which older versions do not show to an API token. */
class NotShown extends Fault {
  constructor() {
    super('console.refused', 'PVE does not show the serial console to an API token.', {
      hint: 'Serial console for tokens needs qemu-server 9.1.7 or newer. Open the console in the web UI of PVE.',
    });
  }
}

const ended = (vmid: number, { message }: StreamEnded) =>
  new Fault('console.ended', `PVE ended the connection to the console of VM ${vmid}: ${message}.`, {
    hint: 'See the task "vncproxy" in the web UI of PVE, or open the console there.',
  });
