import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { limits } from '../../core/limits.ts';
import { assembleBatch, batchHeaderBytes, readBatchHeader } from '../encoding/batch.ts';
import { ByteReader, ByteWriter } from '../encoding/bytes.ts';
import type { Compression } from '../types.ts';

/** A batch as a segment holds it. */
export interface MergedBatch {
  readonly baseOffset: number;
  /** The offset after its last record. */
  readonly endOffset: number;
  readonly maxTimestampMs: number;
  readonly bytes: Uint8Array;
}

/**
 * Merges the small batches that commits have made of one partition into large compressed ones. A batch never holds
 * records of two lives or of two clock epochs, nor two sides of a gap. Keys, values and headers are copied as they are; only the two deltas
 * before them change.
 */
export class BatchMerger {
  readonly #compression: Compression;
  /** All that follows the offset delta of each record, one after the other. */
  readonly #rest = new ByteWriter(4096);
  readonly #restEnds: number[] = [];
  readonly #timestampsMs: number[] = [];
  readonly #head = new ByteWriter(32);
  #lifeOrdinal = -1;
  #epochOrdinal = -1;
  #baseOffset = 0;
  /** So many bytes of records are likely to give a batch of the right size. */
  #targetBytes: number = limits.sealedBatchBytesMax;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  get pendingBytes(): number {
    return this.#rest.length;
  }

  /**
   * Takes the records of an uncompressed batch from `fromOffset` on; returns batches that are complete by that.
   * @throws OperatingError `unreadable-format` if these bytes are no such batch
   */
  add(batch: Uint8Array, lifeOrdinal: number, fromOffset: number): readonly MergedBatch[] {
    const { baseOffset, lastOffset, recordCount, leaderEpoch } = readBatchHeader(batch);
    if (lastOffset < fromOffset) return [];
    const follows = this.#baseOffset + this.#restEnds.length === Math.max(baseOffset, fromOffset);
    const isSame = lifeOrdinal === this.#lifeOrdinal && leaderEpoch === this.#epochOrdinal;
    const done = follows && isSame ? [] : this.flush();
    const view = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
    const baseTimestampMs = Number(view.readBigInt64BE(27));
    const reader = new ByteReader(view.subarray(batchHeaderBytes), 'record');
    for (let left = recordCount; left > 0; left -= 1) {
      const record = new ByteReader(reader.raw(reader.varint()), 'record');
      record.uint8();
      const timestampMs = baseTimestampMs + record.varint();
      const offset = baseOffset + record.varint();
      if (offset < fromOffset) continue;
      if (this.#restEnds.length === 0) {
        this.#baseOffset = offset;
        this.#lifeOrdinal = lifeOrdinal;
        this.#epochOrdinal = leaderEpoch;
      }
      this.#rest.raw(record.raw(record.remaining));
      this.#restEnds.push(this.#rest.length);
      this.#timestampsMs.push(timestampMs);
      if (this.#isFull()) done.push(...this.flush());
    }
    return done;
  }

  /** What is left, as batches: more than one if it does not fit into one. */
  flush(): MergedBatch[] {
    const count = this.#restEnds.length;
    const batches = count === 0 ? [] : this.#encode(0, count);
    this.#rest.clear();
    this.#restEnds.length = 0;
    this.#timestampsMs.length = 0;
    return batches;
  }

  #isFull(): boolean {
    return this.#rest.length >= this.#targetBytes || this.#restEnds.length >= limits.sealedBatchRecordsMax;
  }

  #encode(from: number, end: number): MergedBatch[] {
    const records = this.#recordBytes(from, end);
    const stored = compress(records, this.#compression);
    this.#learn(records.length, stored.length);
    if (stored.length > limits.sealedBatchBytesMax && end - from > 1) {
      const middle = (from + end) >>> 1;
      return [...this.#encode(from, middle), ...this.#encode(middle, end)];
    }
    const baseOffset = this.#baseOffset + from;
    const maxTimestampMs = this.#timestampsMs.slice(from, end).reduce((max, time) => Math.max(max, time));
    const fields = {
      baseOffset,
      leaderEpoch: this.#lifeOrdinal,
      compression: this.#compression,
      baseTimestampMs: this.#timestampsMs[from] ?? 0,
      maxTimestampMs,
      recordCount: end - from,
    };
    return [
      { baseOffset, endOffset: this.#baseOffset + end, maxTimestampMs, bytes: assembleBatch(fields, stored) },
    ];
  }

  #recordBytes(from: number, end: number): Uint8Array {
    const baseTimestampMs = this.#timestampsMs[from] ?? 0;
    const rest = this.#rest.bytes();
    const records = new ByteWriter(this.#rest.length + 16 * (end - from));
    for (let index = from; index < end; index += 1) {
      this.#head.clear();
      this.#head.uint8(0);
      this.#head.varint((this.#timestampsMs[index] ?? 0) - baseTimestampMs);
      this.#head.varint(index - from);
      const restStart = this.#restEnds[index - 1] ?? 0;
      const restEnd = this.#restEnds[index] ?? restStart;
      records.varint(this.#head.length + restEnd - restStart);
      records.raw(this.#head.bytes());
      records.raw(rest.subarray(restStart, restEnd));
    }
    return records.bytes();
  }

  #learn(plainBytes: number, storedBytes: number): void {
    const likely = (0.9 * limits.sealedBatchBytesMax * plainBytes) / storedBytes;
    this.#targetBytes = Math.max(
      limits.sealedBatchBytesMax / 2,
      Math.min(limits.sealedBatchPlainBytesMax, likely),
    );
  }
}

function compress(bytes: Uint8Array, compression: Compression): Uint8Array {
  if (compression === 'none') return bytes;
  if (compression === 'gzip') return gzipSync(bytes);
  return zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: limits.segmentZstdLevel },
  });
}
