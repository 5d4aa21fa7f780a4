import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { ClientBytes, ClientGone } from '../console/client-bytes.js';
import { matchPath, readForm } from '../parameters.js';
import type { PveCluster } from './cluster.js';
import type { Consoles } from './consoles.js';
import { tokenOf } from './server.js';

/** Answers the request for a websocket on `vncwebsocket`, and nothing else. */
export function websocketOf(cluster: PveCluster, consoles: Consoles, receiver: string) {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => 'binary',
    perMessageDeflate: false,
  });
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const url = new URL(request.url ?? '/', 'https://lab');
    const path = url.pathname.replace(/^\/api2\/json/, '');
    const params = { ...readForm(url.search), ...matchPath('/nodes/{node}/qemu/{vmid}/vncwebsocket', path) };
    const tokenId = tokenOf(cluster.access, request.headers.authorization ?? '');
    const refusal = refusalOf();
    const serve =
      refusal === null && tokenId !== null
        ? consoles.take(Number(params.port), {
            ticket: String(params.vncticket),
            tokenId,
            receiver,
            vmid: Number(params.vmid),
          })
        : null;
    const status = refusal?.status ?? (serve ? 101 : 401);
    cluster.record.request({
      at: Date.now(),
      server: receiver,
      method: 'GET',
      path,
      params: { port: params.port },
      tokenId,
      status,
    });
    if (!serve) {
      const { reason } = refusal ?? { reason: 'permission denied - invalid PVEVNC ticket' };
      socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      const client = new ClientBytes(websocket);
      serve(client).then(
        () => client.end(),
        (error: unknown) => {
          client.end();
          if (!(error instanceof ClientGone))
            cluster.record.event('console-broken', String(params.vmid), { why: String(error) });
        },
      );
    });

    function refusalOf(): { status: number; reason: string } | null {
      if (tokenId === null) return { status: 401, reason: 'No ticket' };
      if (params.vmid === undefined) return { status: 501, reason: `Method 'GET ${path}' not implemented` };
      if (!cluster.access.has(`/vms/${params.vmid}`, 'VM.Console'))
        return { status: 403, reason: `Permission check failed (/vms/${params.vmid}, VM.Console)` };
      return null;
    }
  };
}
