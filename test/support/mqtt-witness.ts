import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { decode, type Packet, PacketSplitter } from '../../src/ingest/mqtt-source/packets.ts';

const type = { puback: 4, pubrec: 5 } as const;

/**
 * Stands between a broker and its subscriber and sees what each of them says, so that a test can tell whose fault something is.
 */
export class MqttWitness implements AsyncDisposable {
  /** Payloads that the subscriber has acknowledged, by PUBACK or PUBREC. */
  readonly acknowledged = new Set<string>();
  /** Payloads of QoS 2 that the broker has published again after it had released them, which it must not [MQTT-4.3.3-1]. */
  readonly publishedAfterRelease = new Set<string>();
  /** Payloads in the order in which the broker has published them, connection by connection. */
  readonly published: string[][] = [];
  readonly #brokerPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Of QoS 2, over all connections: the payload that was last released under a packet id. */
  readonly #released = new Map<number, string>();
  readonly #open = new Map<number, string>();

  private constructor(brokerPort: number) {
    this.#brokerPort = brokerPort;
    this.#server = createServer((socket) => this.#pass(socket));
  }

  static async start(brokerPort: number): Promise<MqttWitness> {
    const witness = new MqttWitness(brokerPort);
    witness.#server.listen(0, '127.0.0.1');
    await once(witness.#server, 'listening');
    return witness;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #pass(subscriber: Socket): void {
    const broker = connect({ host: '127.0.0.1', port: this.#brokerPort });
    /** What was published on this connection, by QoS and packet id. */
    const published = new Map<string, string>();
    const order: string[] = [];
    this.published.push(order);
    this.#watch(broker, subscriber, (packet) => this.#fromBroker(packet, published, order));
    this.#watch(subscriber, broker, (packet) => {
      const qos = packet.type === type.puback ? 1 : packet.type === type.pubrec ? 2 : 0;
      const payload = qos === 0 ? undefined : published.get(`${qos} ${packet.bytes.readUInt16BE(2)}`);
      if (payload !== undefined) this.acknowledged.add(payload);
    });
  }

  #watch(from: Socket, to: Socket, see: (packet: Packet) => void): void {
    const splitter = new PacketSplitter();
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      for (const packet of splitter.push(chunk) ?? []) see(packet);
      to.write(chunk);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #fromBroker(packet: Packet, published: Map<string, string>, order: string[]): void {
    if (packet.type !== 3 && packet.type !== 6) return;
    const decoded = decode(packet);
    if (decoded?.kind === 'release') {
      const payload = this.#open.get(decoded.packetId);
      if (payload !== undefined) this.#released.set(decoded.packetId, payload);
      return;
    }
    if (decoded === undefined) return;
    const payload = Buffer.from(decoded.payload).toString();
    order.push(payload);
    published.set(`${decoded.qos} ${decoded.packetId}`, payload);
    if (decoded.qos !== 2) return;
    if (this.#released.get(decoded.packetId) === payload) this.publishedAfterRelease.add(payload);
    this.#open.set(decoded.packetId, payload);
  }
}
