import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { LogRecord, RecordHeader, StoredRecord } from '../../core/record.ts';
import type { Compression } from '../types.ts';
import { ByteReader, ByteWriter, malformed, varintBytes, varintBytesMax } from './bytes.ts';
import { crc32c } from './crc32c.ts';

/*
 * Kafka's record batch, magic 2 (Kafka documentation, "Record Batch"; KIP-98). All integers big-endian.
 *
 *   0 baseOffset int64      21 attributes int16        43 producerId int64
 *   8 batchLength int32     23 lastOffsetDelta int32   51 producerEpoch int16
 *  12 leaderEpoch int32     27 baseTimestamp int64     53 baseSequence int32
 *  16 magic int8 = 2        35 maxTimestamp int64      57 record count int32
 *  17 crc uint32 of 21 to the end                      61 records
 */
export const batchHeaderBytes = 61;
const lengthFieldEnd = 12;
const crcStart = 21;
const codecMask = 0x07;
/** Numbers as Kafka gives them. */
const codecs = { none: 0, gzip: 1, zstd: 4 } as const satisfies Record<Compression, number>;

/** The fixed fields of a batch, as far as readers need them. */
export interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeBytes: number;
  readonly maxTimestampMs: number;
  readonly recordCount: number;
  /**
   * In segments the ordinal of the life that wrote the records, as Kafka keeps the leader epoch; in the journal that of the clock
   * epoch; -1 where there is none.
   */
  readonly leaderEpoch: number;
}

/** What a batch says of its records, whatever the codec. */
export interface BatchFields {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly compression: Compression;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly recordCount: number;
}

/** A batch of records without gaps between their offsets, encoded and compressed by the caller. */
export function assembleBatch(fields: BatchFields, records: Uint8Array): Buffer {
  const batch = Buffer.alloc(batchHeaderBytes + records.length);
  batch.set(records, batchHeaderBytes);
  writeHeader(fields, batch);
  return batch;
}

/** Fills in the header of a batch whose records are in place. */
function writeHeader(fields: BatchFields, batch: Buffer): void {
  batch.writeBigInt64BE(BigInt(fields.baseOffset), 0);
  batch.writeInt32BE(batch.length - lengthFieldEnd, 8);
  batch.writeInt32BE(fields.leaderEpoch, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(codecs[fields.compression], 21);
  batch.writeInt32BE(fields.recordCount - 1, 23);
  batch.writeBigInt64BE(BigInt(fields.baseTimestampMs), 27);
  batch.writeBigInt64BE(BigInt(fields.maxTimestampMs), 35);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(fields.recordCount, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(crcStart)), 17);
}

/**
 * One uncompressed batch of these records with offsets `baseOffset`, `baseOffset` + 1 and so on; `leaderEpoch` as in
 * {@link BatchHeader}.
 * @throws Error for an empty list: a batch has at least one record.
 */
export function encodeBatch(baseOffset: number, records: readonly LogRecord[], leaderEpoch = -1): Uint8Array {
  const [first] = records;
  assert(first !== undefined, 'a batch has at least one record');
  const baseTimestampMs = first.timestampMs;
  let maxTimestampMs = baseTimestampMs;
  const sizes = records.map((record, delta) => {
    maxTimestampMs = Math.max(maxTimestampMs, record.timestampMs);
    return recordBytes(record, record.timestampMs - baseTimestampMs, delta);
  });
  const bodyBytes = sizes.reduce((sum, size) => sum + varintBytes(size) + size, 0);
  const writer = new ByteWriter(batchHeaderBytes + bodyBytes + varintBytesMax);
  writer.raw(noHeader);
  for (const [delta, record] of records.entries()) {
    writer.varint(sizes[delta] ?? 0);
    writeRecord(writer, record, record.timestampMs - baseTimestampMs, delta);
  }
  const batch = writer.bytes();
  const recordCount = records.length;
  const fields = { baseOffset, leaderEpoch, baseTimestampMs, maxTimestampMs, recordCount };
  writeHeader({ ...fields, compression: 'none' }, batch);
  return batch;
}

const noHeader = new Uint8Array(batchHeaderBytes);

/**
 * The fixed fields, without a look at the records or the checksum.
 * @throws OperatingError `unreadable-format` if these bytes are not one whole batch of magic 2.
 */
export function readBatchHeader(bytes: Uint8Array): BatchHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = peekBatchHeader(view);
  if (header?.sizeBytes !== view.length) throw malformed('record batch');
  return header;
}

/** The fixed fields of a batch of which at least the header is there; undefined if these bytes begin no batch of magic 2. */
export function peekBatchHeader(view: Buffer): BatchHeader | undefined {
  if (view.length < batchHeaderBytes || view.readInt8(16) !== 2) return undefined;
  const sizeBytes = view.readInt32BE(8) + lengthFieldEnd;
  if (sizeBytes < batchHeaderBytes) return undefined;
  const baseOffset = Number(view.readBigInt64BE(0));
  return {
    baseOffset,
    lastOffset: baseOffset + view.readInt32BE(23),
    sizeBytes,
    maxTimestampMs: Number(view.readBigInt64BE(35)),
    recordCount: view.readInt32BE(57),
    leaderEpoch: view.readInt32BE(12),
  };
}

/** Kafka's name of the codec, and the timestamp that the records' own count from; of a batch that begins these bytes. */
export function batchCodec(bytes: Uint8Array): { codec: string; baseTimestampMs: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
  const number = view.readInt16BE(21) & codecMask;
  return { codec: names[number] ?? `codec ${number}`, baseTimestampMs: Number(view.readBigInt64BE(27)) };
}

/**
 * A copy of a whole batch in which all stamps are later by so many milliseconds. Records count from the stamp in the header, so
 * nothing is encoded again.
 */
export function shiftedBatch(bytes: Uint8Array, shiftMs: number): Uint8Array {
  const shifted = Buffer.from(bytes);
  const by = BigInt(shiftMs);
  shifted.writeBigInt64BE(shifted.readBigInt64BE(27) + by, 27);
  shifted.writeBigInt64BE(shifted.readBigInt64BE(35) + by, 35);
  shifted.writeUInt32BE(crc32c(shifted.subarray(crcStart)), 17);
  return shifted;
}

/** Whether the bytes are one whole batch with the checksum that it names. */
export function isIntactBatch(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (
    peekBatchHeader(view)?.sizeBytes === view.length &&
    view.readUInt32BE(17) === crc32c(view.subarray(crcStart))
  );
}

/**
 * The records of one batch: uncompressed, gzip or zstd.
 * @throws OperatingError `unreadable-format` if the checksum is wrong or the bytes are not such a batch.
 */
export function decodeBatch(bytes: Uint8Array): StoredRecord[] {
  const header = readBatchHeader(bytes);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isIntactBatch(bytes)) throw malformed('record batch (checksum)');
  const baseTimestampMs = Number(view.readBigInt64BE(27));
  const reader = new ByteReader(bodyOf(view), 'record');
  const records: StoredRecord[] = [];
  for (let index = 0; index < header.recordCount; index += 1) {
    const record = new ByteReader(reader.raw(reader.varint()), 'record');
    records.push(decodeRecord(record, header.baseOffset, baseTimestampMs));
  }
  return records;
}

function bodyOf(batch: Buffer): Uint8Array {
  const codec = batch.readInt16BE(21) & codecMask;
  const body = batch.subarray(batchHeaderBytes);
  const bound = { maxOutputLength: limits.frameBytesMax };
  if (codec === codecs.none) return body;
  if (codec === codecs.gzip) return gunzipSync(body, bound);
  if (codec === codecs.zstd) return zstdDecompressSync(body, bound);
  throw malformed(`record batch (codec ${codec})`);
}

/** Record (Kafka documentation, "Record"): attributes, deltas, key, value, headers; -1 as a length means null. */
function writeRecord(
  writer: ByteWriter,
  record: LogRecord,
  timestampDelta: number,
  offsetDelta: number,
): void {
  writer.uint8(0);
  writer.varint(timestampDelta);
  writer.varint(offsetDelta);
  nullable(writer, record.key);
  nullable(writer, record.value);
  writer.varint(record.headers.length);
  for (const header of record.headers) {
    nullable(writer, Buffer.from(header.name, 'utf8'));
    nullable(writer, header.value);
  }
}

/** What {@link writeRecord} writes. */
function recordBytes(record: LogRecord, timestampDelta: number, offsetDelta: number): number {
  const { key, value, headers } = record;
  const fixed = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(headers.length);
  return headers.reduce(
    (sum, header) => sum + nullableBytes(Buffer.byteLength(header.name)) + nullableBytes(header.value.length),
    fixed + nullableBytes(key?.length ?? -1) + nullableBytes(value?.length ?? -1),
  );
}

const nullableBytes = (length: number): number => varintBytes(length) + Math.max(0, length);

function decodeRecord(reader: ByteReader, baseOffset: number, baseTimestampMs: number): StoredRecord {
  reader.uint8();
  const timestampMs = baseTimestampMs + reader.varint();
  const offset = baseOffset + reader.varint();
  const key = readNullable(reader);
  const value = readNullable(reader);
  const headers: RecordHeader[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    const name = reader.raw(reader.varint()).toString('utf8');
    headers.push({ name, value: readNullable(reader) ?? new Uint8Array() });
  }
  return { offset, timestampMs, key, value, headers };
}

function nullable(writer: ByteWriter, bytes: Uint8Array | null): void {
  writer.varint(bytes === null ? -1 : bytes.length);
  if (bytes !== null) writer.raw(bytes);
}

function readNullable(reader: ByteReader): Uint8Array | null {
  const length = reader.varint();
  return length < 0 ? null : reader.raw(length);
}
