import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync } from 'node:zlib';
import { limits } from '../../core/limits.ts';
import type { LogRecord } from '../../core/record.ts';
import { batchHeaderBytes, encodeBatch } from '../../log/encoding/batch.ts';
import { crc32c } from '../../log/encoding/crc32c.ts';

/*
 * A record batch as it is sent (the layout is drawn in log/batch.ts): baseOffset 0, leader epoch -1, transactional. The
 * producer's fields and the checksum are filled in last, because they are known only when the batch goes out.
 */
const baseOffsetAt = 0;
const lengthAt = 8;
const lengthFieldEnd = 12;
const leaderEpochAt = 12;
const crcAt = 17;
const attributesAt = 21;
const baseTimestampAt = 27;
const producerIdAt = 43;
const producerEpochAt = 51;
const baseSequenceAt = 53;
const recordCountAt = 57;
const zstd = 4;
const transactional = 0x10;

const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const compressOnThread = promisify(zstdCompress);

export interface OutgoingBatch {
  readonly bytes: Uint8Array;
  readonly recordCount: number;
}

export interface Producer {
  readonly id: bigint;
  readonly epoch: number;
}

/**
 * One zstd batch of these records with offsets from 0 on, compressed off the event loop if it is large. Handing a small one to a
 * thread costs more than compressing it.
 * @throws Error for an empty list: a batch has at least one record.
 */
export async function buildBatch(records: readonly LogRecord[]): Promise<OutgoingBatch> {
  const plain = encodeBatch(0, records);
  const raw = plain.subarray(batchHeaderBytes);
  const isSmall = raw.length <= limits.compressedInPlaceBytesMax;
  const body = isSmall ? zstdCompressSync(raw, options) : await compressOnThread(raw, options);
  const bytes = Buffer.concat([plain.subarray(0, batchHeaderBytes), body]);
  bytes.writeInt32BE(bytes.length - lengthFieldEnd, lengthAt);
  bytes.writeInt16BE(zstd | transactional, attributesAt);
  return { bytes, recordCount: records.length };
}

/** A stored batch, whole and with its codec: a copy of which only the header differs. */
export function verbatimBatch(stored: Uint8Array): OutgoingBatch {
  const bytes = Buffer.from(stored);
  bytes.writeBigInt64BE(0n, baseOffsetAt);
  bytes.writeInt32BE(-1, leaderEpochAt);
  bytes.writeInt16BE(bytes.readInt16BE(attributesAt) | transactional, attributesAt);
  return { bytes, recordCount: bytes.readInt32BE(recordCountAt) };
}

/** The timestamp of the first record of a stored batch, milliseconds. */
export const firstTimestampMs = (stored: Uint8Array): number =>
  Number(Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).readBigInt64BE(baseTimestampAt));

/** Writes the producer and the sequence of the first record into the batch, in place, and then the checksum. */
export function stampProducer(batch: OutgoingBatch, producer: Producer, baseSequence: number): void {
  const { buffer, byteOffset, byteLength } = batch.bytes;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  bytes.writeBigInt64BE(producer.id, producerIdAt);
  bytes.writeInt16BE(producer.epoch, producerEpochAt);
  bytes.writeInt32BE(baseSequence, baseSequenceAt);
  bytes.writeUInt32BE(crc32c(bytes.subarray(attributesAt)), crcAt);
}

/** Makes the batch one that no producer and no transaction knows, in place: a copy of it would count again. */
export function stampPlain(batch: OutgoingBatch): void {
  const { buffer, byteOffset, byteLength } = batch.bytes;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  bytes.writeInt16BE(bytes.readInt16BE(attributesAt) & ~transactional, attributesAt);
  stampProducer(batch, { id: -1n, epoch: -1 }, -1);
}

/** The sequence after `count` records: Kafka counts modulo 2^31. */
export const nextSequence = (sequence: number, count: number): number => (sequence + count) % 2 ** 31;

/** An upper bound of what a record takes in an uncompressed batch. */
export function recordBytes(record: LogRecord): number {
  const fixed = 40;
  let bytes = fixed + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const { name, value } of record.headers) bytes += 10 + Buffer.byteLength(name) + value.length;
  return bytes;
}
