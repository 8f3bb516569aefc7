/** The fixed header of one MQTT packet. */
export interface PacketHeader {
  /** The packet type, 0 to 15, from the upper half of the first byte. */
  readonly type: number;
  /** MQTT's "remaining length": the bytes after the fixed header. */
  readonly bodyBytes: number;
}

/** What a stretch of a chunk is; `end` is the position after it. */
export type FramerStep =
  /** Part of a fixed header that the chunk does not complete. */
  | { readonly kind: 'partial'; readonly end: number }
  /** The rest of a fixed header. With a body of 0 bytes it is the whole packet. */
  | { readonly kind: 'header'; readonly end: number; readonly header: PacketHeader }
  /** Bytes of the body; `complete` if they are its last. */
  | { readonly kind: 'body'; readonly end: number; readonly complete: boolean }
  /** A length in five bytes or more. Nothing after it can be understood. */
  | { readonly kind: 'malformed' };

export const packetType = { connect: 1, publish: 3, disconnect: 14 } as const;

const LENGTH_BYTES_MAX = 4;

/**
 * Finds where MQTT packets begin and end in a stream cut into chunks anywhere. It keeps no bytes, only its place:
 *
 *     | type, flags | length: 1 to 4 bytes, 7 bits each, lowest first, top bit = more | body |
 */
export class PacketFramer {
  #type = -1;
  #length = 0;
  #lengthBytes = 0;
  #bodyLeft = 0;

  /** Whether a packet has begun and not ended. */
  get isInPacket(): boolean {
    return this.#type !== -1 || this.#bodyLeft > 0;
  }

  /** Goes on at position `at` of `chunk`, which must be inside it. Not to be called after `malformed`. */
  step(chunk: Uint8Array, at: number): FramerStep {
    if (this.#bodyLeft === 0) return this.#readHeader(chunk, at);
    const taken = Math.min(this.#bodyLeft, chunk.length - at);
    this.#bodyLeft -= taken;
    return { kind: 'body', end: at + taken, complete: this.#bodyLeft === 0 };
  }

  #readHeader(chunk: Uint8Array, at: number): FramerStep {
    let end = at;
    while (end < chunk.length) {
      const byte = chunk[end] as number;
      end++;
      if (this.#type === -1) {
        this.#type = byte >> 4;
        continue;
      }
      this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes);
      this.#lengthBytes++;
      if ((byte & 0x80) === 0) return this.#endHeader(end);
      if (this.#lengthBytes === LENGTH_BYTES_MAX) return { kind: 'malformed' };
    }
    return { kind: 'partial', end };
  }

  #endHeader(end: number): FramerStep {
    const header = { type: this.#type, bodyBytes: this.#length };
    this.#bodyLeft = this.#length;
    this.#type = -1;
    this.#length = 0;
    this.#lengthBytes = 0;
    return { kind: 'header', end, header };
  }
}
