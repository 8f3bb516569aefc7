import type { StoredRecord } from '../core/record.ts';
import { decodeBatch } from '../log/encoding/batch.ts';
import type { StoredBatch } from '../log/types.ts';
import type { ReadPosition } from './objections.ts';
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

/** A batch, and the range of the log that it carries: from its first record to the one before `nextOffset`. */
export interface FlushedBatch {
  readonly batch: OutgoingBatch;
  readonly fromOffset: number;
  readonly nextOffset: number;
}

/**
 * What one transaction takes of one partition. Sealed batches go as they are; the small ones of the journal are merged,
 * as is what is left of a sealed batch of which the first part was sent before.
 */
export class PartitionFlush {
  readonly #how: ReadPosition;
  readonly #bytesMax: number;
  readonly #batches: Promise<FlushedBatch>[] = [];
  #merging: StoredRecord[] = [];
  #mergingBytes = 0;
  #nextOffset: number;
  #bytes = 0;
  #recordCount = 0;
  #times: TimeSpan | null = null;

  /** `bytesMax` may be exceeded by one record or sealed batch, but only if there is nothing else. */
  constructor(how: ReadPosition, bytesMax: number) {
    this.#how = how;
    this.#nextOffset = how.nextOffset;
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

  /** Whether a batch that was read is sent as it is stored. */
  isVerbatim({ sealed, baseOffset, lastOffset, bytes }: StoredBatch): boolean {
    const { cuts, untilOffset, batchBytesMax } = this.#how;
    const isWhole = baseOffset >= this.#nextOffset && lastOffset < (untilOffset ?? Number.POSITIVE_INFINITY);
    const isCut = cuts.some((offset) => baseOffset < offset && offset <= lastOffset);
    return sealed && isWhole && !isCut && bytes.length <= batchBytesMax;
  }

  /** Takes the next batch that was read, or what fits of it. Returns whether there is room for more. */
  add(stored: StoredBatch): boolean {
    if (this.isVerbatim(stored)) return this.#addSealed(stored);
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
  finish(): Promise<readonly FlushedBatch[]> {
    this.#merge();
    return Promise.all(this.#batches);
  }

  #addSealed({ bytes, baseOffset, lastOffset, maxTimestampMs }: StoredBatch): boolean {
    if (!this.#hasRoomFor(bytes.length)) return false;
    this.#merge();
    const batch = verbatimBatch(bytes);
    this.#batches.push(Promise.resolve({ batch, fromOffset: baseOffset, nextOffset: lastOffset + 1 }));
    this.#account(batch.recordCount, bytes.length, firstTimestampMs(bytes), maxTimestampMs);
    this.#nextOffset = lastOffset + 1;
    return true;
  }

  #addRecord(record: StoredRecord): boolean {
    const { untilOffset, batchBytesMax } = this.#how;
    const size = recordBytes(record);
    if (record.offset >= (untilOffset ?? Number.POSITIVE_INFINITY) || !this.#hasRoomFor(size)) return false;
    if (this.#mergingBytes + size > batchBytesMax || this.#isCutBefore(record)) this.#merge();
    this.#merging.push(record);
    this.#mergingBytes += size;
    this.#account(1, size, record.timestampMs, record.timestampMs);
    this.#nextOffset = record.offset + 1;
    return true;
  }

  #isCutBefore({ offset: next }: StoredRecord): boolean {
    const first = this.#merging[0]?.offset ?? next;
    return this.#how.cuts.some((offset) => first < offset && offset <= next);
  }

  #hasRoomFor(size: number): boolean {
    return this.#recordCount === 0 || this.#bytes + size <= this.#bytesMax;
  }

  #merge(): void {
    const [first, last] = [this.#merging[0], this.#merging.at(-1)];
    if (first !== undefined && last !== undefined) {
      const range = { fromOffset: first.offset, nextOffset: last.offset + 1 };
      this.#batches.push(buildBatch(this.#merging).then((batch) => ({ batch, ...range })));
    }
    this.#merging = [];
    this.#mergingBytes = 0;
  }

  #account(records: number, bytes: number, oldestMs: number, newestMs: number): void {
    this.#recordCount += records;
    this.#bytes += bytes;
    this.#times = { oldestMs: this.#times?.oldestMs ?? oldestMs, newestMs };
  }
}
