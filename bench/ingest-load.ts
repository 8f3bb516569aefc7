import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import * as packets from '../test/ingest/mqtt/packets.ts';
import { Latencies } from './latencies.ts';

/*
 * The load, in a process of its own: raw sockets and packets encoded once, because a client library would be the
 * bottleneck. Each packet id is sent again as soon as it is done with. QoS 0 has no answers: there a ping follows each round of
 * messages, and its answer lets the next one go.
 */

export interface Load {
  readonly port: number;
  readonly isTls: boolean;
  readonly qos: 0 | 1 | 2;
  readonly connections: number;
  /** Messages of one connection that are under way. */
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What the load tells its parent: `measuring` when that begins, then the outcome. */
export type LoadMessage =
  | 'measuring'
  | {
      readonly messages: number;
      readonly acknowledgedInAll: number;
      /** From sending a message, or a round of QoS 0, to its last answer. */
      readonly medianMs: number;
      readonly p99Ms: number;
    };

const PUBACK = 0x40;
const PUBREC = 0x50;
const PUBCOMP = 0x70;
const PINGRESP = 0xd0;
const ANSWER_BYTES = 4;
const PING_ANSWER_BYTES = 2;
const CONNECTING_AT_ONCE = 100;

const load = JSON.parse(process.argv[2] ?? '') as Load;
const tell = (message: LoadMessage): void => void process.send?.(message);
const latencies = new Latencies();
let done = 0;

/** What one connection sends, and what it answers to answers. */
class Device {
  readonly #messages: Buffer;
  readonly #messageBytes: number;
  readonly #releases: readonly Buffer[];
  readonly #sentMs = new Float64Array(load.inFlight + 1);

  constructor(index: number) {
    const topic = `bench/device-${index}`;
    const payload = Buffer.alloc(load.payloadBytes, `{"device":${index},"temperature":21.5,"unit":"C"} `);
    const ids = Array.from({ length: load.inFlight }, (_, at) => at + 1);
    const all = ids.map((id) => packets.publish(topic, payload, { qos: load.qos, id }));
    this.#messageBytes = all[0]?.length ?? 0;
    this.#messages = Buffer.concat(load.qos === 0 ? [...all, packets.pingreq] : all);
    this.#releases = load.qos === 2 ? ids.map(packets.pubrel) : [];
  }

  /** A first message with each packet id. */
  begin(): Buffer {
    this.#sentMs.fill(performance.now());
    return this.#messages;
  }

  /** What is to be sent next, for what has been received; `taken` bytes of that are dealt with. */
  answer(received: Buffer): { readonly next: Buffer; readonly taken: number } {
    const next: Buffer[] = [];
    const nowMs = performance.now();
    let at = 0;
    while (at < received.length) {
      const type = received[at];
      const bytes = type === PINGRESP ? PING_ANSWER_BYTES : ANSWER_BYTES;
      if (at + bytes > received.length) break;
      const id = type === PINGRESP ? 0 : received.readUInt16BE(at + 2);
      next.push(this.#next(type, id, nowMs));
      at += bytes;
    }
    return { next: next.length === 1 ? (next[0] as Buffer) : Buffer.concat(next), taken: at };
  }

  #next(type: number | undefined, id: number, nowMs: number): Buffer {
    if (type === PUBREC) return this.#releases[id - 1] as Buffer;
    if (type !== PUBACK && type !== PUBCOMP && type !== PINGRESP)
      throw new Error(`a packet of type ${type} instead of an answer`);
    latencies.add(nowMs - (this.#sentMs[id] as number));
    this.#sentMs[id] = nowMs;
    done += type === PINGRESP ? load.inFlight : 1;
    if (type === PINGRESP) return this.#messages;
    return this.#messages.subarray((id - 1) * this.#messageBytes, id * this.#messageBytes);
  }
}

function openConnection(index: number): Promise<Socket> {
  const device = new Device(index);
  const address = { host: '127.0.0.1', port: load.port };
  // Whose certificate it is does not change what it costs.
  const socket = load.isTls ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
  socket.setNoDelay(true);
  socket.write(packets.connect(`bench-${index}`));
  let rest: Buffer = Buffer.alloc(0);
  let isConnected = false;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      if (!isConnected) {
        if (rest.length < ANSWER_BYTES) return;
        isConnected = true;
        rest = rest.subarray(ANSWER_BYTES);
        socket.write(device.begin());
        resolve(socket);
      }
      const { next, taken } = device.answer(rest);
      rest = rest.subarray(taken);
      if (next.length > 0) socket.write(next);
    });
  });
}

const sockets: Socket[] = [];
for (let first = 0; first < load.connections; first += CONNECTING_AT_ONCE) {
  const count = Math.min(CONNECTING_AT_ONCE, load.connections - first);
  sockets.push(...(await Promise.all(Array.from({ length: count }, (_, at) => openConnection(first + at)))));
}
await sleep(load.warmUpMs);
const before = done;
latencies.clear();
tell('measuring');
await sleep(load.measureMs);
tell({
  messages: done - before,
  acknowledgedInAll: done,
  medianMs: latencies.quantile(0.5),
  p99Ms: latencies.quantile(0.99),
});
for (const socket of sockets) socket.destroy();
process.disconnect?.();
