import { connect as connectSocket, type Socket } from 'node:net';
import { connect, publish, pubrel } from '../ingest/mqtt/packets.ts';
import { within } from './gateway-process.ts';
import type { Reading } from './sensor-fleet.ts';

const RETRY_PAUSE_MS = 50;
const packetType = { connack: 0x20, pubrec: 0x50, pubcomp: 0x70 } as const;

const exactPrefix = 'exact-';

/** Whether the readings of this device are sent with QoS 2. */
export const isExactDevice = (device: string): boolean => device.startsWith(exactPrefix);

export interface Qos2FleetOptions {
  readonly devices: number;
  readonly readingsPerDevice: number;
  /** Handshakes of one device that are begun and not complete. */
  readonly window: number;
  /** `host:port` of the gateway's MQTT listener; the same after each restart. */
  readonly mqtt: string;
}

/**
 * Sensors that publish with QoS 2 and keep the state of their handshakes over lost connections, as MQTT demands of a
 * session that is not clean: what has no PUBREC is sent again (DUP, same packet id, in its order), what has one is
 * released again. Packet ids are used again as soon as they are free. No MQTT library comes between.
 */
export class Qos2Fleet {
  readonly #options: Qos2FleetOptions;
  readonly #devices: readonly Qos2Device[];
  readonly #acknowledged: Reading[] = [];
  #stopped = false;

  constructor(options: Qos2FleetOptions) {
    this.#options = options;
    const names = Array.from({ length: options.devices }, (_, index) => `${exactPrefix}${index}`);
    this.#devices = names.map(
      (name) => new Qos2Device(name, options, (reading) => this.#acknowledged.push(reading)),
    );
  }

  /** Every reading whose PUBREC has arrived, in the order of the PUBRECs. */
  get acknowledged(): readonly Reading[] {
    return this.#acknowledged;
  }

  /** Packets sent again after a lost connection. */
  get resent(): { readonly publishes: number; readonly releases: number } {
    const sum = (of: (device: Qos2Device) => number): number =>
      this.#devices.reduce((total, device) => total + of(device), 0);
    return {
      publishes: sum((device) => device.resentPublishes),
      releases: sum((device) => device.resentReleases),
    };
  }

  /** Resolves when all handshakes of all devices are complete. */
  async run(): Promise<void> {
    await Promise.all(
      this.#devices.map(async (device) => {
        while (!device.isDone && !this.#stopped) {
          await device.connection(this.#options.mqtt);
          if (!device.isDone) await within(RETRY_PAUSE_MS, new Promise<never>(() => {}));
        }
      }),
    );
  }

  /** Ends all devices; `run` resolves. */
  stop(): void {
    this.#stopped = true;
    for (const device of this.#devices) device.disconnect();
  }
}

/** A reading whose handshake is begun. */
interface Handshake {
  readonly reading: Reading;
  isReceived: boolean;
}

class Qos2Device {
  readonly #name: string;
  readonly #options: Qos2FleetOptions;
  readonly #onAcknowledged: (reading: Reading) => void;
  /** By packet id, in the order of their first PUBLISH. */
  readonly #handshakes = new Map<number, Handshake>();
  #next = 0;
  #socket: Socket | undefined;
  resentPublishes = 0;
  resentReleases = 0;

  constructor(name: string, options: Qos2FleetOptions, onAcknowledged: (reading: Reading) => void) {
    this.#name = name;
    this.#options = options;
    this.#onAcknowledged = onAcknowledged;
  }

  get isDone(): boolean {
    return this.#next === this.#options.readingsPerDevice && this.#handshakes.size === 0;
  }

  disconnect(): void {
    this.#socket?.destroy();
  }

  /** One connection, from its CONNECT until it ends or everything is done. */
  async connection(mqtt: string): Promise<void> {
    const [host = '', port = ''] = mqtt.split(':');
    const socket = connectSocket({ host, port: Number(port), noDelay: true });
    this.#socket = socket;
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      // CONNACK, PUBREC and PUBCOMP: four bytes each.
      for (; received.length >= 4; received = received.subarray(4)) {
        this.#answer(received.readUInt8(0), received.readUInt16BE(2), socket);
      }
    });
    socket.write(connect(this.#name, { clean: false }));
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  }

  #answer(type: number, packetId: number, socket: Socket): void {
    if (type === packetType.connack) this.#resume(socket);
    else if (type === packetType.pubrec) this.#received(packetId, socket);
    else if (type === packetType.pubcomp) this.#handshakes.delete(packetId);
    else throw new Error(`${this.#name} did not expect a packet of type ${type}`);
    this.#sendMore(socket);
    if (this.isDone) socket.destroy();
  }

  #resume(socket: Socket): void {
    for (const [packetId, { reading, isReceived }] of this.#handshakes) {
      if (isReceived) {
        this.resentReleases += 1;
        socket.write(pubrel(packetId));
      } else {
        this.resentPublishes += 1;
        this.#publish(socket, packetId, reading, true);
      }
    }
  }

  #received(packetId: number, socket: Socket): void {
    const handshake = this.#handshakes.get(packetId);
    if (handshake === undefined)
      throw new Error(`${this.#name} got a PUBREC for ${packetId}, which is not open`);
    if (!handshake.isReceived) this.#onAcknowledged(handshake.reading);
    handshake.isReceived = true;
    socket.write(pubrel(packetId));
  }

  #sendMore(socket: Socket): void {
    while (this.#next < this.#options.readingsPerDevice && this.#handshakes.size < this.#options.window) {
      const reading = { device: this.#name, sequence: this.#next };
      const packetId = this.#freePacketId();
      this.#handshakes.set(packetId, { reading, isReceived: false });
      this.#next += 1;
      this.#publish(socket, packetId, reading, false);
    }
  }

  #freePacketId(): number {
    let packetId = 1;
    while (this.#handshakes.has(packetId)) packetId += 1;
    return packetId;
  }

  #publish(socket: Socket, id: number, reading: Reading, dup: boolean): void {
    socket.write(publish(`sensors/${this.#name}`, JSON.stringify(reading), { qos: 2, id, dup }));
  }
}
