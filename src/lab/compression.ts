import { deflateSync, gzipSync } from 'node:zlib';
import type { RawRequest, Reply } from './https.js';

/** PBS knows deflate alone, and compresses everything whenever it is named. */
export function deflated({ headers }: RawRequest, reply: Reply): Reply {
  return accepts(headers['accept-encoding'], 'deflate')
    ? packed(reply, 'deflate', deflateSync(reply.packed ?? reply.body))
    : reply;
}

/** From this size on PVE finds it worth the while. */
const PVE_MINIMUM_BYTES = 1024;

export function gzippedOrDeflated({ headers }: RawRequest, reply: Reply): Reply {
  if (Buffer.byteLength(reply.body) <= PVE_MINIMUM_BYTES) return reply;
  const wanted = headers['accept-encoding'];
  if (accepts(wanted, 'gzip')) return packed(reply, 'gzip', gzipSync(reply.body));
  return accepts(wanted, 'deflate') ? packed(reply, 'deflate', deflateSync(reply.body)) : reply;
}

const accepts = (header: string | string[] | undefined, encoding: string) =>
  String(header ?? '')
    .split(/\s*,\s*/)
    .some((each) => each.split(';')[0] === encoding);

const packed = (reply: Reply, encoding: string, bytes: Buffer): Reply => ({
  ...reply,
  packed: bytes,
  headers: { ...reply.headers, 'content-encoding': encoding },
});
