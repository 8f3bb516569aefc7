import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type Packet, PacketSplitter } from '../../../src/ingest/mqtt-source/packets.ts';
import { until } from '../mqtt/harness.ts';
import { packet } from '../mqtt/packets.ts';

/** One connection of a client, as the broker sees it. */
export class Session {
  readonly socket: Socket;
  /** All but keep-alives. */
  readonly received: Packet[] = [];
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets));
  }

  /** Packet ids of what was received of a type, in order: 4 PUBACK, 5 PUBREC, 7 PUBCOMP. */
  ids(type: number): number[] {
    return this.received.filter((one) => one.type === type).map(({ bytes }) => bytes.readUInt16BE(2));
  }

  /** The topics of its SUBSCRIBE (8) or UNSUBSCRIBE (10) packets. */
  topics(type: 8 | 10): string[] {
    return this.received.filter((one) => one.type === type).flatMap(({ bytes }) => topicsIn(bytes, type));
  }
}

export interface Behaviour {
  /** The CONNACK's return code. */
  returnCode?: number;
  isSessionPresent?: boolean;
  /** What is granted of a topic; by default what was asked for. */
  grant?: (topic: string, qos: number) => number;
}

/** A broker that answers what a client needs to subscribe, and leaves messages to the test. */
export class FakeBroker implements AsyncDisposable {
  readonly sessions: Session[] = [];
  behaviour: Behaviour = {};
  readonly #server: Server;

  private constructor(tls: TlsOptions | undefined) {
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  static async start(tls?: TlsOptions): Promise<FakeBroker> {
    const broker = new FakeBroker(tls);
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connection of this number, the first is 1, once its CONNECT is answered. */
  async session(count: number): Promise<Session> {
    await until(() => (this.sessions[count - 1]?.received.length ?? 0) > 0, `connection ${count}`);
    const session = this.sessions[count - 1];
    if (session === undefined) throw new Error('it was there just now');
    return session;
  }

  /** Says this to the newest connection, whatever it has said. */
  async answerAnything(text: string): Promise<void> {
    await until(() => this.sessions.length > 0, 'a connection');
    this.sessions.at(-1)?.send(Buffer.from(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.sessions) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #serve(socket: Socket): void {
    const session = new Session(socket);
    const splitter = new PacketSplitter();
    socket.on('error', () => {});
    socket.on('close', () => {
      session.isClosed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      for (const one of splitter.push(chunk) ?? []) this.#answer(session, one);
    });
    this.sessions.push(session);
  }

  #answer(session: Session, one: Packet): void {
    const {
      returnCode = 0,
      isSessionPresent = false,
      grant = (_: string, qos: number) => qos,
    } = this.behaviour;
    if (one.type === 12) session.send(packet(0xd0, Buffer.alloc(0)));
    else session.received.push(one);
    const id = one.bytes.subarray(2, 4);
    if (one.type === 1) session.send(packet(0x20, Buffer.from([isSessionPresent ? 1 : 0, returnCode])));
    if (one.type === 8) {
      const qos = one.bytes.at(-1) ?? 0;
      const granted = topicsIn(one.bytes, 8).map((topic) => grant(topic, qos));
      session.send(packet(0x90, Buffer.concat([id, Buffer.from(granted)])));
    }
    if (one.type === 10) session.send(packet(0xb0, id));
  }
}

function topicsIn(bytes: Buffer, type: 8 | 10): string[] {
  const topics: string[] = [];
  for (let at = 4; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    topics.push(bytes.toString('utf8', at + 2, end));
    at = type === 8 ? end + 1 : end;
  }
  return topics;
}
