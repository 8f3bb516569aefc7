/** What a client has sent in WebSocket frames. Nothing comes after `close` and `violation`. */
export type FrameEvent =
  /** Bytes of a binary message; where messages and frames begin and end means nothing to MQTT [MQTT-6.0.0-2]. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'ping'; readonly payload: Uint8Array }
  | { readonly kind: 'close' }
  | { readonly kind: 'violation'; readonly code: number; readonly message: string };

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** RFC 6455, 7.4.1: a frame against the protocol, and one of a kind that is not understood. */
const closeCodes = { protocol: 1002, unsupported: 1003 } as const;

const HEADER_LENGTH = 2;
const MASK_LENGTH = 4;
/** RFC 6455, 5.5. */
const CONTROL_LENGTH = 125;

/**
 * Reads what a client sends by WebSocket (RFC 6455, 5.2), from a stream cut into chunks anywhere:
 *
 *     | FIN RSV opcode | MASK length: 7 bits | length: 16 or 64 bits, if 126 or 127 | mask: 4 bytes | payload, masked |
 *
 * It keeps no payload but that of a ping: what has come of a frame passes on at once, so that whoever reads this decides how much
 * may wait, whatever the size of a frame. (The usual libraries collect whole messages.)
 */
export class FrameReader {
  readonly #header = Buffer.alloc(HEADER_LENGTH + 8 + MASK_LENGTH);
  #headerFilled = 0;
  #opcode = -1;
  #payloadLeft = 0;
  #maskAt = 0;
  readonly #mask = new Uint8Array(MASK_LENGTH);
  #isInMessage = false;
  #control: Uint8Array[] = [];
  #isOver = false;

  /** What the chunk says; its bytes are unmasked in place. */
  read(chunk: Uint8Array): readonly FrameEvent[] {
    const events: FrameEvent[] = [];
    for (let at = 0; at < chunk.length && !this.#isOver; ) {
      if (this.#opcode === -1) {
        this.#header[this.#headerFilled++] = chunk[at++] ?? 0;
        const violation = this.#readHeader();
        if (violation !== null) events.push(violation);
        this.#isOver = violation !== null;
      } else {
        const bytes = chunk.subarray(at, at + this.#payloadLeft);
        at += bytes.length;
        this.#payloadLeft -= bytes.length;
        this.#unmask(bytes);
        this.#passOn(bytes, events);
      }
      if (!this.#isOver && this.#opcode !== -1 && this.#payloadLeft === 0) this.#endFrame(events);
    }
    return events;
  }

  /** Looks at the header as far as it is there. */
  #readHeader(): FrameEvent | null {
    const filled = this.#headerFilled;
    const [first = 0, second = 0] = this.#header;
    if (filled === 1) return this.#problemOf(first);
    const shortLength = second & 0x7f;
    if (filled === HEADER_LENGTH) {
      if ((second & 0x80) === 0) return violation('a frame of a client has to be masked');
      return (first & 0x08) !== 0 && shortLength > CONTROL_LENGTH
        ? violation('a control frame that is too long')
        : null;
    }
    const lengthBytes = shortLength === 127 ? 8 : shortLength === 126 ? 2 : 0;
    if (filled < HEADER_LENGTH + lengthBytes + MASK_LENGTH) return null;
    const length =
      lengthBytes === 0
        ? shortLength
        : this.#header
            .subarray(HEADER_LENGTH, HEADER_LENGTH + lengthBytes)
            .reduce((sum, byte) => sum * 256 + byte, 0);
    if (!Number.isSafeInteger(length)) return violation('a frame longer than any');
    this.#mask.set(this.#header.subarray(filled - MASK_LENGTH, filled));
    this.#maskAt = 0;
    this.#payloadLeft = length;
    this.#opcode = first & 0x0f;
    this.#headerFilled = 0;
    return null;
  }

  /** What is wrong with the first byte of a frame. */
  #problemOf(first: number): FrameEvent | null {
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) return violation('an extension that nobody has agreed on');
    switch (opcode) {
      case opcodes.text:
        return {
          kind: 'violation',
          code: closeCodes.unsupported,
          message: 'a text frame; MQTT needs binary ones',
        };
      case opcodes.binary:
      case opcodes.continuation:
        if ((opcode === opcodes.continuation) !== this.#isInMessage)
          return violation('a message that is not continued as it began');
        this.#isInMessage = !isFinal;
        return null;
      case opcodes.close:
      case opcodes.ping:
      case opcodes.pong:
        return isFinal ? null : violation('a control frame in pieces');
      default:
        return violation('a frame of an unknown kind');
    }
  }

  #unmask(bytes: Uint8Array): void {
    const mask = this.#mask;
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = (bytes[index] ?? 0) ^ (mask[(this.#maskAt + index) % MASK_LENGTH] ?? 0);
    this.#maskAt = (this.#maskAt + bytes.length) % MASK_LENGTH;
  }

  #passOn(bytes: Uint8Array, events: FrameEvent[]): void {
    if (this.#opcode === opcodes.binary || this.#opcode === opcodes.continuation)
      events.push({ kind: 'data', bytes });
    else if (this.#opcode === opcodes.ping) this.#control.push(Buffer.from(bytes));
  }

  #endFrame(events: FrameEvent[]): void {
    if (this.#opcode === opcodes.ping) {
      events.push({ kind: 'ping', payload: Buffer.concat(this.#control) });
      this.#control = [];
    }
    if (this.#opcode === opcodes.close) {
      events.push({ kind: 'close' });
      this.#isOver = true;
    }
    this.#opcode = -1;
  }
}

const violation = (message: string): FrameEvent => ({
  kind: 'violation',
  code: closeCodes.protocol,
  message: `${message} (WebSocket)`,
});

/** The header of a frame that a server sends: whole, and not masked. */
export function frameHeader(kind: 'binary' | 'pong' | 'close', length: number): Buffer {
  const first = 0x80 | opcodes[kind];
  if (length <= CONTROL_LENGTH) return Buffer.from([first, length]);
  if (length < 2 ** 16) return Buffer.from([first, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(HEADER_LENGTH + 8);
  header[0] = first;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), HEADER_LENGTH);
  return header;
}

/** A frame that says why the connection ends (RFC 6455, 7.4). */
export const closeFrame = (code: number): Buffer =>
  Buffer.concat([frameHeader('close', 2), Buffer.from([code >> 8, code & 0xff])]);
