import { connect as connectSocket, type Socket } from 'node:net';
import { connect, disconnect, packet, publish, pubrel, subscribe } from '../ingest/mqtt/packets.ts';
import { headwaterProcess } from '../support/command-process.ts';
import type { RunningGateway } from '../support/gateway-process.ts';
import { until } from '../support/virtual-time.ts';

/** Starts the daemon on the data folder of the scenario, after ending the one before with SIGKILL. */
export type Restart = () => Promise<RunningGateway>;

interface Received {
  readonly type: 'connack' | 'publish' | 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'suback' | 'other';
  readonly isDup: boolean;
  /** The packet id, or 0. */
  readonly id: number;
  readonly payload: string;
}

const types: Readonly<Record<number, Received['type']>> = {
  2: 'connack',
  3: 'publish',
  4: 'puback',
  5: 'pubrec',
  6: 'pubrel',
  7: 'pubcomp',
  9: 'suback',
};

/** A client that answers nothing by itself. */
class Peer {
  readonly received: Received[] = [];
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);

  private constructor({ mqtt }: RunningGateway, first: Buffer) {
    const [host = '', port] = mqtt.split(':');
    this.#socket = connectSocket({ host, port: Number(port), noDelay: true });
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#parse();
    });
    this.#socket.write(first);
  }

  static async lasting(gateway: RunningGateway, clientId: string): Promise<Peer> {
    const peer = new Peer(gateway, connect(clientId, { clean: false }));
    await peer.gets('connack');
    return peer;
  }

  send(...packets: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(packets));
  }

  /** Waits for so many packets of a type, and gives the last one. */
  async gets(type: Received['type'], count = 1): Promise<Received> {
    const found = (): readonly Received[] => this.received.filter((one) => one.type === type);
    await until(`${count} of ${type}`, () => found().length >= count);
    return found()[count - 1] as Received;
  }

  async leave(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#socket.once('close', () => resolve()));
    this.send(disconnect);
    await closed;
  }

  payloads(): string[] {
    return this.received.flatMap(({ type, payload }) => (type === 'publish' ? [payload] : []));
  }

  #parse(): void {
    for (;;) {
      let at = 1;
      let length = 0;
      for (let shift = 0; ; shift += 7, at += 1) {
        const byte = this.#bytes[at];
        if (byte === undefined) return;
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      const end = at + 1 + length;
      if (this.#bytes.length < end) return;
      this.#take(this.#bytes[0] ?? 0, this.#bytes.subarray(at + 1, end));
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  #take(first: number, body: Buffer): void {
    const type = types[first >> 4] ?? 'other';
    const isDup = (first & 8) !== 0;
    if (type !== 'publish') {
      this.received.push({ type, isDup, id: body.length < 2 ? 0 : body.readUInt16BE(0), payload: '' });
      return;
    }
    const topicEnd = 2 + body.readUInt16BE(0);
    const hasId = (first & 6) !== 0;
    const payload = body.subarray(topicEnd + (hasId ? 2 : 0)).toString();
    this.received.push({ type, isDup, id: hasId ? body.readUInt16BE(topicEnd) : 0, payload });
  }
}

const ack = (firstByte: number, id: number): Buffer => packet(firstByte, Buffer.from([id >> 8, id & 0xff]));
const pubrec = (id: number): Buffer => ack(0x50, id);

async function subscriber(gateway: RunningGateway): Promise<Peer> {
  const peer = await Peer.lasting(gateway, 'subscriber');
  peer.send(subscribe('#', 2));
  await peer.gets('suback');
  return peer;
}

/** The subscriber again, after all that waits was sent to it: a message that follows is the last one, and it is not told of. */
async function again(gateway: RunningGateway): Promise<Peer> {
  const peer = await Peer.lasting(gateway, 'subscriber');
  const device = await Peer.lasting(gateway, 'end');
  device.send(publish('end', 'end', { id: 1 }));
  await until('the last message', () => peer.payloads().includes('end'));
  return peer;
}

const withoutEnd = (payloads: readonly string[]): string[] => payloads.filter((payload) => payload !== 'end');

const unlike = (got: unknown, wanted: unknown): string[] =>
  JSON.stringify(got) === JSON.stringify(wanted)
    ? []
    : [`got ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`];

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);

/** Messages for somebody who is away; `isLater`: after some of them all is written to the store. */
async function absentSubscriber(restart: Restart, isLater: boolean): Promise<string[]> {
  const gateway = await restart();
  await (await subscriber(gateway)).leave();
  const device = await Peer.lasting(gateway, 'device');
  const all = texts(20);
  for (const [index, text] of all.entries()) {
    device.send(publish('t', text, { id: index + 1, qos: 1 + (index % 2) }));
    await device.gets(index % 2 === 0 ? 'puback' : 'pubrec', Math.floor(index / 2) + 1);
    // Another subscription is written before its SUBACK, and all the rest with it.
    if (isLater && index === 9) {
      const other = await Peer.lasting(gateway, 'other');
      other.send(subscribe('elsewhere', 1));
      await other.gets('suback');
    }
  }
  return unlike(withoutEnd((await again(await restart())).payloads()), all);
}

/** What must hold whatever crashes, each with real bytes and SIGKILLs; each gives what is wrong, in words. */
export const scenarios: Readonly<Record<string, (restart: Restart) => Promise<string[]>>> = {
  /** What is acknowledged waits for who is away. */
  absent: (restart) => absentSubscriber(restart, false),

  /** The same, and some of it was written to the store before. */
  absentLater: (restart) => absentSubscriber(restart, true),

  /** A message of QoS 2 that was sent is sent again under its packet id, and says so. */
  async packetId(restart) {
    const gateway = await restart();
    const peer = await subscriber(gateway);
    const device = await Peer.lasting(gateway, 'device');
    device.send(publish('t', 'a', { qos: 2, id: 9 }));
    const { id } = await peer.gets('publish');
    const returned = await again(await restart());
    const sent = returned.received.filter(({ type, payload }) => type === 'publish' && payload !== 'end');
    return unlike(sent, [{ type: 'publish', isDup: true, id, payload: 'a' }]);
  },

  /** One that the subscriber has is not sent again: it is told to release the packet id. */
  async released(restart) {
    const gateway = await restart();
    const peer = await subscriber(gateway);
    const device = await Peer.lasting(gateway, 'device');
    device.send(publish('t', 'a', { qos: 2, id: 9 }));
    const { id } = await peer.gets('publish');
    peer.send(pubrec(id));
    await peer.gets('pubrel');
    const returned = await again(await restart());
    const released = returned.received.flatMap((one) => (one.type === 'pubrel' ? [one.id] : []));
    return [...unlike(withoutEnd(returned.payloads()), []), ...unlike(released, [id])];
  },

  /** What a device sends again waits once. */
  async duplicate(restart) {
    const gateway = await restart();
    await (await subscriber(gateway)).leave();
    const device = await Peer.lasting(gateway, 'device');
    device.send(publish('t', 'a', { qos: 2, id: 9 }));
    await device.gets('pubrec');
    const later = await restart();
    const returned = await Peer.lasting(later, 'device');
    returned.send(publish('t', 'a', { qos: 2, id: 9, dup: true }));
    await returned.gets('pubrec');
    return unlike(withoutEnd((await again(later)).payloads()), ['a']);
  },

  /** After PUBCOMP a device may use the packet id for another message. */
  async incomingRelease(restart) {
    const gateway = await restart();
    const device = await Peer.lasting(gateway, 'device');
    device.send(publish('t', 'first', { qos: 2, id: 9 }));
    await device.gets('pubrec');
    device.send(pubrel(9));
    await device.gets('pubcomp');
    const later = await restart();
    const returned = await Peer.lasting(later, 'device');
    returned.send(publish('t', 'second', { qos: 2, id: 9 }));
    await returned.gets('pubrec');
    const { output } = await headwaterProcess(later.dataDir, ['consume', 'readings', '--from-beginning']);
    return unlike(output.split('\n').slice(0, -1), ['first', 'second']);
  },
};
