import { limits } from '../../core/limits.ts';
import { PacketFramer, packetType } from '../mqtt/packet-framer.ts';

/** One packet of a broker: whole, or the beginning of one that is longer than `limits.mqttPacketBytesMax`. */
export interface Packet {
  /** The packet type, 0 to 15. */
  readonly type: number;
  /** Header and body. */
  readonly bytes: Buffer;
  /** What is missing at the end. */
  readonly missingBytes: number;
}

/** A PUBLISH [MQTT-3.3]. */
export interface Publish {
  readonly kind: 'publish';
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** The broker says that it has sent it before. */
  readonly isDuplicate: boolean;
  /** 0 for QoS 0. */
  readonly packetId: number;
  /** What of the payload is missing at its end, because it was too long. */
  readonly missingBytes: number;
}

/** A PUBREL: the broker knows that its QoS 2 message has arrived. */
export interface Release {
  readonly kind: 'release';
  readonly packetId: number;
}

export const { publish: PUBLISH } = packetType;
export const CONNACK = 2;
export const PUBREL = 6;

/** Cuts a stream of bytes into packets, wherever its chunks end. Of a packet that is too long it keeps the beginning. */
export class PacketSplitter {
  readonly #framer = new PacketFramer();
  #pieces: Buffer[] = [];
  #keptBytes = 0;
  #missingBytes = 0;

  /** The packets that the chunk completes; undefined if what comes is not MQTT. */
  push(chunk: Buffer): readonly Packet[] | undefined {
    const packets: Packet[] = [];
    for (let at = 0; at < chunk.length; ) {
      const step = this.#framer.step(chunk, at);
      if (step.kind === 'malformed') return undefined;
      this.#keep(chunk.subarray(at, step.end));
      at = step.end;
      if (!this.#framer.isInPacket) packets.push(this.#take());
    }
    return packets;
  }

  #keep(piece: Buffer): void {
    const kept = piece.subarray(0, limits.mqttPacketBytesMax - this.#keptBytes);
    if (kept.length > 0) this.#pieces.push(kept);
    this.#keptBytes += kept.length;
    this.#missingBytes += piece.length - kept.length;
  }

  #take(): Packet {
    const bytes = Buffer.concat(this.#pieces);
    const packet = { type: (bytes[0] ?? 0) >> 4, bytes, missingBytes: this.#missingBytes };
    this.#pieces = [];
    this.#keptBytes = 0;
    this.#missingBytes = 0;
    return packet;
  }
}

/** Reads a PUBLISH or a PUBREL; undefined if it breaks the protocol. */
export function decode({ type, bytes, missingBytes }: Packet): Publish | Release | undefined {
  const body = bytes.subarray(headerBytesOf(bytes));
  if (body.length < 2) return undefined;
  if (type === PUBREL) return { kind: 'release', packetId: body.readUInt16BE(0) };
  const flags = bytes[0] ?? 0;
  const qos = (flags >> 1) & 3;
  const topicEnd = 2 + body.readUInt16BE(0);
  const idEnd = qos === 0 ? topicEnd : topicEnd + 2;
  if (qos === 3 || idEnd > body.length) return undefined;
  const packetId = qos === 0 ? 0 : body.readUInt16BE(topicEnd);
  if (qos !== 0 && packetId === 0) return undefined;
  return {
    kind: 'publish',
    topic: body.toString('utf8', 2, topicEnd),
    payload: body.subarray(idEnd),
    qos: qos as Publish['qos'],
    isDuplicate: (flags & 8) !== 0,
    packetId,
    missingBytes,
  };
}

/** The fixed header's length: the first byte, and the bytes of the remaining length. */
function headerBytesOf(bytes: Buffer): number {
  let end = 1;
  while (((bytes[end] ?? 0) & 0x80) !== 0) end += 1;
  return end + 1;
}

/** What answers a packet: PUBACK, PUBREC or PUBCOMP; nothing for QoS 0. */
export function answerTo(packet: Publish | Release): Buffer {
  const { packetId } = packet;
  if (packet.kind === 'publish' && packet.qos === 0) return Buffer.alloc(0);
  const firstByte = packet.kind === 'release' ? 0x70 : packet.qos === 1 ? 0x40 : 0x50;
  return Buffer.from([firstByte, 2, packetId >> 8, packetId & 0xff]);
}
