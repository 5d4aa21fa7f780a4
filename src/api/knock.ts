import { connect } from 'node:net';

/** Whether somebody takes TCP connections at an address `https://host:port`; not a byte is sent. */
export function knock(address: string, limitMs: number): Promise<boolean> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) });
    const settle = (open: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(open);
    };
    // The kernel repeats a lost attempt ever later; a new one does not wait for it.
    const timer = setTimeout(() => settle(false), limitMs);
    socket.once('connect', () => settle(true)).on('error', () => settle(false));
  });
}
