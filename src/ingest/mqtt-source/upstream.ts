import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { limits } from '../../core/limits.ts';
import {
  CONNACK,
  decode,
  type Packet,
  PacketSplitter,
  PUBLISH,
  PUBREL,
  type Publish,
  type Release,
} from './packets.ts';

/** The other side of a connection is no MQTT broker, or breaks the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Takes what a broker publishes and releases. */
export interface Taker {
  take(packet: Publish | Release): void;
  /** Whether so much is unanswered that the broker should be held back. */
  readonly isFull: boolean;
  /** The connection is over. */
  close(): void;
}

/**
 * Stands between the socket of a broker and the client library, which sees a connection without messages: what the broker
 * publishes and releases goes to the taker, and what answers it goes between the library's packets. The library would handle one
 * message at a time, and answer before it is durable. Packet ids cannot be confused: those of messages are the broker's, those of
 * subscriptions are ours.
 */
export class Upstream extends Duplex {
  readonly #socket: Socket;
  readonly #taker: Taker;
  /** What is written before that would hide the reason why TLS fails. */
  readonly #ready: Promise<void>;
  readonly #splitter = new PacketSplitter();
  #isQuiet = false;
  #hasConnack = false;
  /** Why the connection ended, if it did not just end. */
  failure: Error | null = null;

  /** @param socket one that has just begun to connect, also by TLS */
  constructor(socket: Socket, taker: Taker) {
    super();
    this.#ready = new Promise((resolve) => {
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', resolve);
    });
    this.#socket = socket;
    this.#taker = taker;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.destroy());
  }

  /** From now on nothing is taken, so that the gateway can stop; what was taken can still be answered. */
  quiesce(): void {
    this.#isQuiet = true;
    this.#socket.pause();
  }

  /** Sends answers to what was taken. */
  answer(bytes: Buffer): void {
    if (this.writable) this.write(bytes);
  }

  /** There may be room again. */
  resumeReading(): void {
    if (!this.#isQuiet && !this.#taker.isFull && this.#socket.isPaused()) this.#socket.resume();
  }

  override _read(): void {
    this.resumeReading();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#ready.then(() => this.#socket.write(chunk, this.#written(done)));
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const all = Buffer.concat(chunks.map(({ chunk }) => chunk));
    void this.#ready.then(() => this.#socket.write(all, this.#written(done)));
  }

  override _final(done: () => void): void {
    this.#isQuiet = true;
    this.#socket.end(done);
    // Who is not read does not notice its end.
    this.#socket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#taker.close();
    this.#socket.destroy();
    done(error);
  }

  /** A broker that went away is no error of the stream: it just ends. */
  #written(done: () => void): (error?: Error | null) => void {
    return (error) => (error ? this.#fail(error) : done());
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#isQuiet) return;
    const packets = this.#splitter.push(chunk);
    for (const packet of packets ?? []) {
      const problem = this.#sort(packet);
      if (problem !== null) {
        this.#fail(new ProtocolError(problem));
        return;
      }
    }
    if (packets === undefined) this.#fail(new ProtocolError('a packet length of more than four bytes'));
    else if (this.#taker.isFull) this.#socket.pause();
  }

  /** What is wrong with the packet, or null if it is where it belongs. */
  #sort(packet: Packet): string | null {
    const { type, bytes, missingBytes } = packet;
    if (!this.#hasConnack && type !== CONNACK) return 'the first packet is no CONNACK';
    this.#hasConnack = true;
    if (type === PUBLISH || type === PUBREL) {
      const decoded = decode(packet);
      if (decoded === undefined) return `a packet of type ${type} is malformed`;
      this.#taker.take(decoded);
      return null;
    }
    if (missingBytes > 0 || bytes.length > limits.mqttControlPacketBytesMax)
      return `a packet of type ${type} is too long`;
    this.push(bytes);
    return null;
  }
}
