import { StreamEnded } from '../api/byte-stream.js';
import { Fault } from '../fault.js';
import type { Guest } from './exec.js';
import type { Picture } from './picture.js';
import { takePicture } from './rfb.js';
import { listenToSerial } from './serial.js';

/** What is on the console of a VM: a picture, or what a serial console printed while it was listened to. */
export type Shown =
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'text'; readonly port: string; readonly text: string };

const SERIAL_MS = 3000;
const LIMIT_MS = 20_000;

/**
 * Looks at the console of a VM through PVE, without touching it.
 * @throws Fault `console.stopped`, `console.none`, `console.refused`, `console.unreadable`, `console.ended`; ApiFault
 */
export async function lookAtConsole(guest: Guest): Promise<Shown> {
  const { pve, vmid } = guest;
  const place = await pve.findGuest(vmid);
  if (place?.type === 'lxc')
    throw new Fault('console.none', `Guest ${vmid} is a container: it has no screen.`, {
      hint: `Open its console in the web UI of PVE, or on its node: pct console ${vmid}`,
    });
  const [{ status }, { display, serialPorts }] = await Promise.all([
    pve.guestStatus(vmid),
    pve.guestConfig(vmid),
  ]);
  if (status !== 'running')
    throw new Fault('console.stopped', `VM ${vmid} is ${status}: there is nothing on its screen.`, {
      hint: 'Start it.',
    });
  if (display?.startsWith('serial')) {
    try {
      return await serial(guest, display);
    } catch (error) {
      // Older versions do not let a token at the text, but draw it.
      if (!(error instanceof Fault && error.code === 'console.refused')) throw error;
    }
  }
  if (display === 'none') {
    const [port] = serialPorts;
    if (port !== undefined) return serial(guest, port);
    throw new Fault('console.none', `VM ${vmid} has neither a display nor a serial console.`, {
      hint: `Give it one: qm set ${vmid} --vga std (needs a stop and start)`,
    });
  }
  return picture(guest);
}

async function picture({ pve, vmid, clock }: Guest): Promise<Shown> {
  const { stream, password } = await pve.console.screen(vmid);
  const limit = new AbortController();
  clock.sleep(LIMIT_MS, limit.signal).then(
    () => stream.end(`nothing came within ${LIMIT_MS / 1000} s`),
    () => {},
  );
  try {
    return { kind: 'picture', picture: await takePicture(stream, password) };
  } catch (error) {
    throw error instanceof StreamEnded ? ended(vmid, error) : error;
  } finally {
    limit.abort();
    stream.end();
  }
}

async function serial({ pve, vmid, clock }: Guest, port: string): Promise<Shown> {
  const line = await pve.console.serial(vmid, port);
  try {
    return { kind: 'text', port, text: await listenToSerial(line, { clock, forMs: SERIAL_MS }) };
  } catch (error) {
    throw error instanceof StreamEnded ? ended(vmid, error) : error;
  } finally {
    line.stream.end();
  }
}

const ended = (vmid: number, { message }: StreamEnded) =>
  new Fault('console.ended', `PVE ended the connection to the console of VM ${vmid}: ${message}.`, {
    hint: 'See its task "vncproxy" in the web UI of PVE, or open the console there.',
  });
