import { Duplex } from 'node:stream';
import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { MessageRate } from './message-rate.ts';
import type { MqttLimits } from './mqtt-limits.ts';
import { PacketFramer, type PacketHeader, packetType } from './packet-framer.ts';
import type { Peer } from './peer.ts';
import type { PendingBytes } from './pending-bytes.ts';
import type { ConnectionRefusal } from './refusals.ts';

export interface GuardOptions {
  /** The connection, past what comes before MQTT. */
  readonly stream: Duplex;
  readonly peer: Peer;
  readonly limits: MqttLimits;
  /** The budget of all clients together. */
  readonly budget: PendingBytes;
  /** Told once, just before the guard cuts the connection for what the client did. */
  readonly onCut: (reason: ConnectionRefusal, message: string) => void;
  /** Told once, when the client first publishes faster than it may. */
  readonly onSlowed: () => void;
}

/**
 * What a PUBLISH weighs while it is pending.
 * @param bodyBytes MQTT's "remaining length"
 */
const weightOf = (bodyBytes: number): number => bodyBytes + limits.mqttPublishOverheadBytes;

/**
 * Stands between a connection and the MQTT broker, and lets through only what is within the limits: packet by packet,
 * but without collecting them. What may not pass yet stays in its stream, so that TCP holds the client back.
 *
 * A PUBLISH passes once its weight is reserved, from the client's own budget and then from the common one, of which a
 * client is given enough for many packets at its turn, and gives back what its chunk does not need; whoever answers it
 * calls {@link answered}. A DISCONNECT and the end of the stream pass after that, because the broker closes the
 * connection at once and the answers would be lost.
 */
export class Guard extends Duplex {
  readonly peer: Peer;
  readonly #stream: Duplex;
  readonly #limits: MqttLimits;
  readonly #rate: MessageRate;
  readonly #budget: PendingBytes;
  readonly #onCut: GuardOptions['onCut'];
  readonly #onSlowed: GuardOptions['onSlowed'];
  readonly #framer = new PacketFramer();
  #phase: 'unknown' | 'connecting' | 'connected' = 'unknown';
  #readerWants = false;
  #quiet = false;
  #streamEnded = false;
  /** Bytes taken from the stream that did not pass yet; of these, the framer knows the first `#restFramed`. */
  #rest: Buffer | null = null;
  #restFramed = 0;
  /** The packet whose header ends `#rest`'s framed part, if it must wait. */
  #held: PacketHeader | null = null;
  #inLine = false;
  /** Whether the packet that waits does so for its turn by the rate. */
  #isSlowed = false;
  #wasSlowed = false;
  #pendingBytes = 0;
  /** What is reserved for the packets that follow in this chunk. */
  #allowanceBytes = 0;
  /** What the last PUBLISH that passed weighs; 0 once its body is complete. */
  #begunBytes = 0;
  #overdueMs = 0;

  constructor({ stream, peer, limits: own, budget, onCut, onSlowed }: GuardOptions) {
    super();
    this.peer = peer;
    this.#stream = stream;
    this.#limits = own;
    this.#rate = new MessageRate(own.messagesPerSecondMax);
    this.#budget = budget;
    this.#onCut = onCut;
    this.#onSlowed = onSlowed;
    stream.on('readable', () => this.#pump());
    stream.on('end', () => {
      this.#streamEnded = true;
      this.#pump();
    });
    stream.on('error', () => this.destroy());
    stream.on('close', () => this.destroy());
  }

  /** Weight of the PUBLISH packets that passed and are not answered. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get isConnected(): boolean {
    return this.#phase === 'connected';
  }

  /** The broker has accepted the CONNECT: what follows it may pass. (It would queue 42 packets, then give up.) */
  connected(): void {
    this.#phase = 'connected';
    this.#retry();
  }

  /**
   * A PUBLISH has been dealt with, or is being refused.
   * @param bodyBytes its "remaining length"
   */
  answered(bodyBytes: number): void {
    if (this.destroyed) return;
    this.#pendingBytes -= weightOf(bodyBytes);
    this.#budget.release(weightOf(bodyBytes));
    this.#retry();
  }

  /** Writes out at once what the broker has collected for this turn of the event loop: it would be lost in a cut. */
  flush(): void {
    while (this.writableCorked > 0) this.uncork();
  }

  /** From now on nothing passes, so that the gateway can stop; what passed can still be answered. */
  quiesce(): void {
    this.#quiet = true;
  }

  /** Time has passed: lets on whom the rate held back, and cuts a client that is late with its CONNECT, or with the rest of a packet. */
  sweep(elapsedMs: number): void {
    this.#rate.pass(elapsedMs);
    if (this.#isSlowed) this.#retry();
    const waitsForClient = this.#phase === 'unknown' || this.#framer.isInPacket;
    if (!waitsForClient || this.#held !== null || !this.#readerWants) return;
    this.#overdueMs += elapsedMs;
    if (this.#phase !== 'connected') {
      if (this.#overdueMs >= this.#limits.connectTimeoutMs) {
        this.#cut('connect-timeout', 'no CONNECT arrived in time; is it an MQTT client?');
      }
    } else if (this.#overdueMs >= limits.mqttPacketTimeoutMs) {
      this.#cut('packet-timeout', 'a packet was begun and not completed in time');
    }
  }

  /**
   * Without a size, everything that is buffered. Since Node 26 a stream gives one chunk at a time, but the broker reads
   * once when it is told that there is something, and would wait for ever for what is left.
   */
  override read(size?: number | null): Buffer | null {
    if (typeof size === 'number') return super.read(size);
    const chunks: Buffer[] = [];
    for (let chunk: Buffer | null = super.read(); chunk !== null; chunk = super.read()) chunks.push(chunk);
    return chunks.length > 1 ? Buffer.concat(chunks) : (chunks[0] ?? null);
  }

  override _read(): void {
    this.#readerWants = true;
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, this.#written(done));
  }

  /** In one piece: the broker writes an acknowledgement of four bytes in three. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#stream.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), this.#written(done));
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#budget.cancel(this.#granted);
    this.#budget.release(this.#pendingBytes + this.#allowanceBytes);
    this.#pendingBytes = 0;
    this.#allowanceBytes = 0;
    this.#rest = null;
    this.#stream.destroy();
    done(error);
  }

  /** A client that went away is no error of the stream: it just ends. */
  #written(done: () => void): (error?: Error | null) => void {
    return (error) => (error ? this.destroy() : done());
  }

  #pump(): void {
    while (this.#readerWants && this.#held === null && !this.#quiet && !this.destroyed) {
      const chunk: Buffer | null = this.#rest ?? this.#stream.read();
      if (chunk === null) break;
      const framed = this.#restFramed;
      this.#rest = null;
      this.#restFramed = 0;
      this.#pass(chunk, framed);
    }
    this.#giveAllowanceBack();
    // A packet that its client did not complete is never answered.
    const unanswerable = this.#framer.isInPacket ? this.#begunBytes : 0;
    const isOver = this.#streamEnded && this.#rest === null && this.#pendingBytes === unanswerable;
    if (isOver && !this.destroyed && !this.readableEnded) this.push(null);
  }

  /** Passes on as much of the chunk as is within the limits. The framer knows its first `framed` bytes already. */
  #pass(chunk: Buffer, framed: number): void {
    let at = framed;
    while (at < chunk.length) {
      const step = this.#framer.step(chunk, at);
      if (step.kind === 'malformed') {
        this.#cut('malformed-packet', 'a packet length of more than four bytes; is it an MQTT client?');
        return;
      }
      at = step.end;
      if (step.kind === 'header') {
        if (!this.#isLegal(step.header)) return;
        if (!this.#admit(step.header)) {
          this.#hold(step.header, chunk, at);
          return;
        }
      }
      if (step.kind === 'partial' || this.#framer.isInPacket) continue;
      this.#overdueMs = 0;
      this.#begunBytes = 0;
    }
    this.#readerWants = this.push(chunk);
  }

  /** The last byte of the header does not pass, so the broker does not see the packet, even if it has no body. */
  #hold(header: PacketHeader, chunk: Buffer, headerEnd: number): void {
    this.#held = header;
    this.#rest = chunk.subarray(headerEnd - 1);
    this.#restFramed = 1;
    if (headerEnd > 1) this.#readerWants = this.push(chunk.subarray(0, headerEnd - 1));
  }

  #isLegal({ type, bodyBytes }: PacketHeader): boolean {
    if (this.#phase === 'unknown' && type !== packetType.connect) {
      this.#cut('protocol', 'the first packet is no CONNECT; is it an MQTT client?');
      return false;
    }
    const bytesMax =
      type === packetType.publish ? this.#limits.packetBytesMax : limits.mqttControlPacketBytesMax;
    if (bodyBytes <= bytesMax) return true;
    this.#cut(
      'packet-too-large',
      `a packet of ${bodyBytes} bytes, at most ${bytesMax} are allowed; have the device send smaller messages`,
    );
    return false;
  }

  /** Whether the packet may pass now; if so, what it needs is reserved. */
  #admit({ type, bodyBytes }: PacketHeader): boolean {
    if (this.#phase === 'unknown') {
      this.#phase = 'connecting';
      return true;
    }
    if (this.#phase === 'connecting') return false;
    if (type === packetType.disconnect) return this.#pendingBytes === 0;
    if (type !== packetType.publish) return true;
    const weight = weightOf(bodyBytes);
    if (this.#pendingBytes + weight > this.#limits.clientPendingBytesMax || !this.#isInRate()) return false;
    if (weight > this.#allowanceBytes) {
      // Who is in line holds nothing but what is pending: otherwise all could wait for each other.
      this.#giveAllowanceBack();
      const turnBytes = Math.min(limits.mqttTurnBytes, this.#limits.clientPendingBytesMax);
      this.#allowanceBytes = this.#budget.reserve(weight, Math.max(weight, turnBytes), this.#granted);
      this.#inLine = this.#allowanceBytes === 0;
      if (this.#inLine) return false;
    }
    this.#spend(weight);
    return true;
  }

  #isInRate(): boolean {
    this.#isSlowed = !this.#rate.take();
    if (this.#isSlowed && !this.#wasSlowed) this.#onSlowed();
    this.#wasSlowed ||= this.#isSlowed;
    return !this.#isSlowed;
  }

  #spend(weight: number): void {
    this.#allowanceBytes -= weight;
    this.#pendingBytes += weight;
    this.#begunBytes = weight;
  }

  #giveAllowanceBack(): void {
    const unspent = this.#allowanceBytes;
    this.#allowanceBytes = 0;
    if (unspent > 0) this.#budget.release(unspent);
  }

  readonly #granted = (bytes: number): void => {
    const held = this.#held;
    assert(held !== null, 'who waits in line holds a packet');
    this.#inLine = false;
    this.#allowanceBytes = bytes;
    this.#spend(weightOf(held.bodyBytes));
    this.#letGo();
  };

  #retry(): void {
    // The broker may accept a CONNECT whose client has gone: what was reserved now would never be given back.
    if (this.destroyed) return;
    if (this.#held === null) {
      // What comes is pumped as it comes; but the end waits for the last answer.
      if (this.#streamEnded) this.#pump();
    } else if (!this.#inLine && this.#admit(this.#held)) this.#letGo();
  }

  #letGo(): void {
    this.#held = null;
    this.#pump();
  }

  #cut(reason: ConnectionRefusal, message: string): void {
    this.#onCut(reason, message);
    this.destroy();
  }
}
