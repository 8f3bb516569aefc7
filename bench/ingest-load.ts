import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as packets from '../test/ingest/mqtt/packets.ts';

/*
 * The load, in a process of its own: raw sockets and packets encoded once, because a client library would be the
 * bottleneck. Each packet id is sent again as soon as it is acknowledged.
 */

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What the load tells its parent: `measuring` when that begins, then the outcome. */
export type LoadMessage = 'measuring' | { readonly messages: number; readonly acknowledgedInAll: number };

const PUBACK = 0x40;
const ACKNOWLEDGEMENT_BYTES = 4;
let acknowledged = 0;

function openConnection(load: Load, index: number): Promise<Socket> {
  const topic = `bench/device-${index}`;
  const payload = Buffer.alloc(load.payloadBytes, `{"device":${index},"temperature":21.5,"unit":"C"} `);
  const all = Array.from({ length: load.inFlight }, (_, at) =>
    packets.publish(topic, payload, { id: at + 1 }),
  );
  const packetBytes = all[0]?.length ?? 0;
  const encoded = Buffer.concat(all);
  const socket = connect(load.port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.write(packets.connect(`bench-${index}`));
  let rest: Buffer = Buffer.alloc(0);
  let isConnected = false;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      const received = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let at = 0;
      if (!isConnected) {
        if (received.length < ACKNOWLEDGEMENT_BYTES) {
          rest = received;
          return;
        }
        isConnected = true;
        at = ACKNOWLEDGEMENT_BYTES;
        socket.write(encoded);
        resolve(socket);
      }
      // Ids come back in runs; each run is sent again with one write.
      let first = 0;
      let last = 0;
      for (; at + ACKNOWLEDGEMENT_BYTES <= received.length; at += ACKNOWLEDGEMENT_BYTES) {
        if (received[at] !== PUBACK) throw new Error(`a packet of type ${received[at]} instead of a PUBACK`);
        const id = received.readUInt16BE(at + 2);
        acknowledged += 1;
        if (id !== last + 1 || first === 0) {
          if (first > 0) socket.write(encoded.subarray((first - 1) * packetBytes, last * packetBytes));
          first = id;
        }
        last = id;
      }
      if (first > 0) socket.write(encoded.subarray((first - 1) * packetBytes, last * packetBytes));
      rest = received.subarray(at);
    });
  });
}

const load = JSON.parse(process.argv[2] ?? '') as Load;
const tell = (message: LoadMessage): void => void process.send?.(message);
const sockets = await Promise.all(
  Array.from({ length: load.connections }, (_, index) => openConnection(load, index)),
);
await sleep(load.warmUpMs);
const before = acknowledged;
tell('measuring');
await sleep(load.measureMs);
tell({ messages: acknowledged - before, acknowledgedInAll: acknowledged });
for (const socket of sockets) socket.destroy();
process.disconnect?.();
