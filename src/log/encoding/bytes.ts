import { OperatingError } from '../../core/errors.ts';

/** Bytes that should be ours by their checksum, or were taken for ours, but do not say what they must. */
export const malformed = (what: string): OperatingError =>
  new OperatingError('unreadable-format', `malformed ${what}`);

/**
 * Gives the memory of the whole buffer under a view back at once: the collector, which sees only its handle, leaves tens of
 * megabytes lying about. Neither it nor any view of it may be used afterwards. A part of a buffer smaller than two pools is left
 * to the collector: it may be the pool that Node's small buffers share.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return;
  const mayBePool = byteLength < buffer.byteLength && buffer.byteLength < 2 * Buffer.poolSize;
  if (!mayBePool) buffer.transfer(0);
}

/** Writes big-endian numbers and Kafka's zigzag varints into a buffer that grows. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacityBytes = 256, allocate: (sizeBytes: number) => Buffer = Buffer.allocUnsafe) {
    this.#buffer = allocate(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; a view that later writes may leave behind. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets what was written; the room stays. */
  clear(): void {
    this.#length = 0;
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeInt16BE(value, this.#length);
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  /** A 64-bit integer that is exact as a JavaScript number (offsets, commit numbers, milliseconds). */
  int64(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigInt64BE(BigInt(value), this.#length);
  }

  /** Kafka's varint and varlong: zigzag, seven bits a byte. */
  varint(value: number): void {
    this.#reserve(varintBytesMax);
    if (value >= 0 && value < 0x40) {
      this.#buffer[this.#length++] = value * 2;
      return;
    }
    // Bit operations end at 32 bits, and a zigzag of 54 bits is not exact: so the sign goes into the first byte alone.
    const sign = value < 0 ? 1 : 0;
    const magnitude = value < 0 ? -1 - value : value;
    let byte = (magnitude % 0x40) * 2 + sign;
    for (let rest = Math.floor(magnitude / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) {
      this.#buffer[this.#length++] = byte | 0x80;
      byte = rest % 0x80;
    }
    this.#buffer[this.#length++] = byte;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Bytes behind their length as uint32. */
  block(bytes: Uint8Array): void {
    this.uint32(bytes.length);
    this.raw(bytes);
  }

  /** Text in UTF-8 behind its length as uint32. */
  text(text: string): void {
    this.block(Buffer.from(text, 'utf8'));
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Of a whole number that is exact as a JavaScript number, and more. */
export const varintBytesMax = 10;

/** How many bytes {@link ByteWriter.varint} takes. */
export function varintBytes(value: number): number {
  const magnitude = value < 0 ? -1 - value : value;
  let bytes = 1;
  for (let end = 0x40; magnitude >= end; end *= 0x80) bytes += 1;
  return bytes;
}

/** Reads what {@link ByteWriter} writes. Every method throws `unreadable-format` past the end. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get remaining(): number {
    return this.#buffer.length - this.#at;
  }

  uint8(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  int64(): number {
    const value = Number(this.#buffer.readBigInt64BE(this.#take(8)));
    if (!Number.isSafeInteger(value)) throw malformed(this.#what);
    return value;
  }

  varint(): number {
    let byte = this.uint8();
    const negative = byte % 2 === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    for (let scale = 0x40; byte >= 0x80; scale *= 0x80) {
      byte = this.uint8();
      magnitude += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(magnitude)) throw malformed(this.#what);
    }
    return negative ? -1 - magnitude : magnitude;
  }

  /** A view of the next bytes, not a copy. */
  raw(length: number): Buffer {
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  block(): Buffer {
    return this.raw(this.uint32());
  }

  text(): string {
    return this.block().toString('utf8');
  }

  #take(length: number): number {
    if (length < 0 || length > this.remaining) throw malformed(this.#what);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
