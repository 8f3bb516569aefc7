import type { StoredRecord } from '../../core/record.ts';
import { decodeBatch } from '../../log/encoding/batch.ts';
import type { StoredBatch } from '../../log/types.ts';
import {
  buildBatch,
  firstTimestampMs,
  type OutgoingBatch,
  recordBytes,
  verbatimBatch,
} from '../cluster/outgoing-batch.ts';
import type { BatchSource, SessionTopic } from '../cluster/target.ts';
import type { ReadPosition } from '../mirror/objections.ts';
import { centralPartition } from './central-partitions.ts';
import { type Origin, withOrigin } from './record-origin.ts';

/** When records were stamped, milliseconds. */
export interface TimeSpan {
  readonly oldestMs: number;
  readonly newestMs: number;
}

/** A batch, the central partition that it goes to, and what it carries of the partition of the log. */
export interface FlushedBatch extends Omit<BatchSource, 'topic' | 'partition'> {
  readonly batch: OutgoingBatch;
  readonly to: number;
}

/** Records that are to go together. */
interface Merging {
  readonly records: StoredRecord[];
  bytes: number;
}

/**
 * What one transaction takes of one partition. Sealed batches go as they are; the small ones of the journal are merged,
 * as is what is left of a sealed batch of which the first part was sent before, and all that goes by key or says where it is from.
 */
export class PartitionFlush {
  readonly #topic: SessionTopic;
  readonly #how: ReadPosition;
  readonly #origin: Origin | null;
  readonly #bytesMax: number;
  readonly #batches: Promise<FlushedBatch>[] = [];
  /** By the central partition. */
  readonly #merging = new Map<number, Merging>();
  #nextOffset: number;
  #bytes = 0;
  #recordCount = 0;
  #times: TimeSpan | null = null;

  /** `bytesMax` may be exceeded by one record or sealed batch, but only if there is nothing else. */
  constructor(topic: SessionTopic, how: ReadPosition, bytesMax: number, origin: Origin | null) {
    this.#topic = topic;
    this.#origin = origin;
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
    if (this.#topic.isByKey || this.#origin !== null) return false;
    const { cuts, untilOffset, batchBytesMax } = this.#how;
    const isWhole = baseOffset >= this.#nextOffset && lastOffset < (untilOffset ?? Number.POSITIVE_INFINITY);
    const isCut = cuts.some((offset) => baseOffset < offset && offset <= lastOffset);
    return sealed && isWhole && !isCut && bytes.length <= batchBytesMax;
  }

  /** Takes the next batch that was read, or what fits of it. Returns whether there is room for more. */
  add(stored: StoredBatch): boolean {
    if (this.isVerbatim(stored)) return this.#addSealed(stored);
    const origin = this.#origin;
    for (const record of decodeBatch(stored.bytes)) {
      if (record.offset < this.#nextOffset) continue;
      if (!this.#addRecord(origin === null ? record : withOrigin(record, origin))) return false;
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
  async finish(): Promise<readonly FlushedBatch[]> {
    for (const to of this.#merging.keys()) {
      this.#merge(to);
      // Encoding all of them at once would keep everybody else waiting.
      await this.#batches.at(-1);
    }
    return Promise.all(this.#batches);
  }

  #addSealed({ bytes, baseOffset, lastOffset, maxTimestampMs }: StoredBatch): boolean {
    if (!this.#hasRoomFor(bytes.length)) return false;
    this.#mergeAll();
    const batch = verbatimBatch(bytes);
    const range = { fromOffset: baseOffset, nextOffset: lastOffset + 1, offsets: null };
    this.#batches.push(Promise.resolve({ batch, to: this.#how.partition, ...range }));
    this.#account(batch.recordCount, bytes.length, firstTimestampMs(bytes), maxTimestampMs);
    this.#nextOffset = lastOffset + 1;
    return true;
  }

  #addRecord(record: StoredRecord): boolean {
    const { untilOffset, batchBytesMax } = this.#how;
    const size = recordBytes(record);
    if (record.offset >= (untilOffset ?? Number.POSITIVE_INFINITY) || !this.#hasRoomFor(size)) return false;
    if (this.#isCutBefore(record)) this.#mergeAll();
    const to = centralPartition(this.#topic, this.#how.partition, record);
    if ((this.#merging.get(to)?.bytes ?? 0) + size > batchBytesMax) this.#merge(to);
    const merging = this.#merging.get(to) ?? { records: [], bytes: 0 };
    this.#merging.set(to, merging);
    merging.records.push(record);
    merging.bytes += size;
    this.#account(1, size, record.timestampMs, record.timestampMs);
    this.#nextOffset = record.offset + 1;
    return true;
  }

  /** Between the record before it and this one; what is on both sides of a cut goes apart, wherever it goes. */
  #isCutBefore({ offset: next }: StoredRecord): boolean {
    return this.#how.cuts.some((offset) => this.#nextOffset <= offset && offset <= next);
  }

  #hasRoomFor(size: number): boolean {
    return this.#recordCount === 0 || this.#bytes + size <= this.#bytesMax;
  }

  #mergeAll(): void {
    for (const to of this.#merging.keys()) this.#merge(to);
  }

  #merge(to: number): void {
    const records = this.#merging.get(to)?.records ?? [];
    this.#merging.delete(to);
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const isDense = last.offset - first.offset + 1 === records.length;
    const offsets = isDense ? null : records.map(({ offset }) => offset);
    const range = { fromOffset: first.offset, nextOffset: last.offset + 1, offsets };
    this.#batches.push(buildBatch(records).then((batch) => ({ batch, to, ...range })));
  }

  #account(records: number, bytes: number, oldestMs: number, newestMs: number): void {
    this.#recordCount += records;
    this.#bytes += bytes;
    this.#times = { oldestMs: this.#times?.oldestMs ?? oldestMs, newestMs };
  }
}
