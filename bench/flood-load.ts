import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as packets from '../test/ingest/mqtt/packets.ts';

/*
 * A flood, in a process of its own: connections that publish with QoS 0 as fast as TCP takes it, until it is killed.
 * Tells its parent `flooding` once all are connected.
 */

export interface Flood {
  readonly port: number;
  readonly connections: number;
  readonly payloadBytes: number;
}

const CONNECTING_AT_ONCE = 100;
const MESSAGES_PER_WRITE = 100;

const flood = JSON.parse(process.argv[2] ?? '') as Flood;

async function connected(index: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: flood.port });
  socket.write(packets.connect(`flood-${index}`));
  await once(socket, 'data');
  return socket;
}

function publishOn(socket: Socket, index: number): void {
  const payload = Buffer.alloc(flood.payloadBytes, `{"device":${index},"temperature":21.5,"unit":"C"} `);
  const message = packets.publish(`flood/device-${index}`, payload, { qos: 0 });
  const messages = Buffer.concat(Array.from({ length: MESSAGES_PER_WRITE }, () => message));
  const next = (): void => void socket.write(messages, next);
  next();
}

const sockets: Socket[] = [];
for (let first = 0; first < flood.connections; first += CONNECTING_AT_ONCE) {
  const count = Math.min(CONNECTING_AT_ONCE, flood.connections - first);
  sockets.push(...(await Promise.all(Array.from({ length: count }, (_, at) => connected(first + at)))));
}
for (const [index, socket] of sockets.entries()) publishOn(socket, index);
process.send?.('flooding');
