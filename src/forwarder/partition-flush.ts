import { limits } from '../core/limits.ts';
import type { StoredRecord } from '../core/record.ts';
import { decodeBatch } from '../log/encoding/batch.ts';
import type { StoredBatch } from '../log/types.ts';
import {
  buildBatch,
  firstTimestampMs,
  type OutgoingBatch,
  recordBytes,
  verbatimBatch,
} from './outgoing-batch.ts';

/** When records were stamped, milliseconds. */
export interface TimeSpan {
  readonly oldestMs: number;
  readonly newestMs: number;
}

/**
 * What one transaction takes of one partition. Sealed batches go as they are; the small ones of the journal are merged,
 * as is what is left of a sealed batch of which the first part was sent before.
 */
export class PartitionFlush {
  readonly #bytesMax: number;
  readonly #batches: Promise<OutgoingBatch>[] = [];
  #merging: StoredRecord[] = [];
  #mergingBytes = 0;
  #nextOffset: number;
  #bytes = 0;
  #recordCount = 0;
  #times: TimeSpan | null = null;

  /** `bytesMax` may be exceeded by one record or sealed batch, but only if there is nothing else. */
  constructor(fromOffset: number, bytesMax: number) {
    this.#nextOffset = fromOffset;
    this.#bytesMax = bytesMax;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** So much of `bytesMax` is used: sealed batches count as they are stored, merged records uncompressed. */
  get bytes(): number {
    return this.#bytes;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** From the first record to the last one; null without records. */
  get times(): TimeSpan | null {
    return this.#times;
  }

  /** Takes the next batch that was read, or what fits of it. Returns whether there is room for more. */
  add(stored: StoredBatch): boolean {
    const isWhole = stored.baseOffset >= this.#nextOffset;
    if (stored.sealed && isWhole) return this.#addSealed(stored);
    for (const record of decodeBatch(stored.bytes)) {
      if (record.offset >= this.#nextOffset && !this.#addRecord(record)) return false;
    }
    return true;
  }

  /** There is nothing to read below this offset: the medium took it. */
  passTo(offset: number): void {
    this.#nextOffset = offset;
  }

  /** Resolves when everything taken so far is compressed, except what still waits to be merged with more. */
  async compressed(): Promise<void> {
    await Promise.all(this.#batches);
  }

  /** The batches in their order; nothing can be added any more. */
  finish(): Promise<readonly OutgoingBatch[]> {
    this.#merge();
    return Promise.all(this.#batches);
  }

  #addSealed({ bytes, lastOffset, maxTimestampMs }: StoredBatch): boolean {
    if (!this.#hasRoomFor(bytes.length)) return false;
    this.#merge();
    const batch = verbatimBatch(bytes);
    this.#batches.push(Promise.resolve(batch));
    this.#account(batch.recordCount, bytes.length, firstTimestampMs(bytes), maxTimestampMs);
    this.#nextOffset = lastOffset + 1;
    return true;
  }

  #addRecord(record: StoredRecord): boolean {
    const size = recordBytes(record);
    if (!this.#hasRoomFor(size)) return false;
    if (this.#mergingBytes + size > limits.forwardBatchBytesMax) this.#merge();
    this.#merging.push(record);
    this.#mergingBytes += size;
    this.#account(1, size, record.timestampMs, record.timestampMs);
    this.#nextOffset = record.offset + 1;
    return true;
  }

  #hasRoomFor(size: number): boolean {
    return this.#recordCount === 0 || this.#bytes + size <= this.#bytesMax;
  }

  #merge(): void {
    if (this.#merging.length > 0) this.#batches.push(buildBatch(this.#merging));
    this.#merging = [];
    this.#mergingBytes = 0;
  }

  #account(records: number, bytes: number, oldestMs: number, newestMs: number): void {
    this.#recordCount += records;
    this.#bytes += bytes;
    this.#times = { oldestMs: this.#times?.oldestMs ?? oldestMs, newestMs };
  }
}
