import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const NTP_PORT = 123;
/** NTP counts from 1900. */
const SECONDS_BEFORE_1970 = 2_208_988_800;

/** A time server on the loopback address whose time is ahead of this machine's by some milliseconds (NTP, RFC 5905). */
export async function timeServer(aheadMs: number): Promise<AsyncDisposable> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { port, address }) => {
    if (request.length < 48) return;
    const answer = Buffer.alloc(48);
    // No leap second, version 4, a server; of stratum 1, by a clock called TEST.
    answer.set([0x24, 1, 6, 0xec]);
    answer.write('TEST', 12, 'latin1');
    const now = stamp(Date.now() + aheadMs);
    now.copy(answer, 16);
    request.copy(answer, 24, 40, 48);
    now.copy(answer, 32);
    now.copy(answer, 40);
    socket.send(answer, port, address);
  });
  socket.bind(NTP_PORT, '127.0.0.1');
  await once(socket, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function stamp(wallMs: number): Buffer {
  const bytes = Buffer.alloc(8);
  const seconds = Math.floor(wallMs / 1000);
  bytes.writeUInt32BE(seconds + SECONDS_BEFORE_1970, 0);
  bytes.writeUInt32BE(Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32), 4);
  return bytes;
}
