import type { DiskFile } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { type BatchHeader, isIntactBatch, peekBatchHeader } from '../encoding/batch.ts';
import { readOverDamage } from '../journal/journal-files.ts';
import type { OffsetRange } from './seal-job.ts';
import type { SegmentPlace } from './segment-table.ts';

/** Records of one life, one after the other. */
export interface LifeRun {
  readonly ordinal: number;
  readonly firstOffset: number;
  records: number;
}

/** What a file of a segment holds that nothing else is known about. */
export interface SegmentScan {
  /** Behind the last batch that counts. */
  readonly end: SegmentPlace;
  /** Of the batches that count; undefined if there is none. */
  readonly maxTimestampMs: number | undefined;
  readonly runs: readonly LifeRun[];
  /** Offsets inside that the medium took. */
  readonly lost: readonly OffsetRange[];
}

export interface ScanLimits {
  /** Batches that begin here or above do not count. */
  readonly untilOffset: number;
  /** Whether a batch may be of this partition's history at all. */
  readonly isOurs: (header: BatchHeader) => boolean;
}

/**
 * Finds the batches of a segment that count, from a place where one must begin: its checksum is right, and so is its
 * offset, which the checksum does not cover. It follows from the batch before; behind a damaged one, from what that one's
 * header says, or from the batch that comes next. Memory is bounded by the largest batch.
 */
export async function scanSegment(
  file: DiskFile,
  from: SegmentPlace,
  bounds: ScanLimits,
): Promise<SegmentScan> {
  const size = await file.size();
  const walk = new SegmentWalk(from, bounds);
  for (let start = from.position; start < size && !walk.isDone; ) {
    // One window reaches into the next, so that a batch on the border is found whole.
    const bytes = await readOverDamage(
      file,
      start,
      Math.min(size - start, limits.readBytesMax + limits.frameBytesMax),
    );
    start += walk.takeWindow(bytes, start);
  }
  return walk.result();
}

class SegmentWalk {
  readonly #bounds: ScanLimits;
  readonly #runs: LifeRun[] = [];
  readonly #lost: OffsetRange[] = [];
  #end: SegmentPlace;
  /** Where a batch must begin that follows a damaged one, if the header of that one is right. */
  #claim: SegmentPlace;
  #maxTimestampMs: number | undefined;
  isDone = false;

  constructor(from: SegmentPlace, bounds: ScanLimits) {
    this.#end = from;
    this.#claim = from;
    this.#bounds = bounds;
  }

  result(): SegmentScan {
    return {
      end: this.#end,
      maxTimestampMs: this.#maxTimestampMs,
      runs: this.#runs,
      lost: this.#lost,
    };
  }

  /** Goes through the bytes that lie at `start`; returns how many of them are done with. */
  takeWindow(bytes: Buffer, start: number): number {
    const stop = Math.min(bytes.length, limits.readBytesMax);
    let at = 0;
    while (at < stop && !this.isDone) {
      // No batch begins here that does not say magic 2 there.
      const step = bytes[at + 16] === 2 ? this.#takeBatch(bytes.subarray(at), start + at) : 0;
      at += Math.max(1, step);
    }
    return at;
  }

  /** Returns the length of the batch that begins these bytes, 0 if none does that counts. */
  #takeBatch(bytes: Buffer, position: number): number {
    const header = peekBatchHeader(bytes);
    if (header === undefined || !isPlausible(header, bytes.length)) return 0;
    const { baseOffset, lastOffset, sizeBytes } = header;
    const claim = this.#claim;
    const isClaimed = position === claim.position && baseOffset === claim.baseOffset;
    if (isClaimed) this.#claim = { position: position + sizeBytes, baseOffset: lastOffset + 1 };
    if (!isClaimed && !this.#isFollowed(header, bytes)) return 0;
    if (baseOffset >= this.#bounds.untilOffset) {
      this.isDone = true;
      return 0;
    }
    if (!this.#bounds.isOurs(header) || !isIntactBatch(bytes.subarray(0, sizeBytes))) return 0;
    this.#enter(header, position);
    return sizeBytes;
  }

  #isFollowed({ baseOffset, lastOffset, sizeBytes }: BatchHeader, bytes: Buffer): boolean {
    if (baseOffset <= this.#end.baseOffset) return false;
    return peekBatchHeader(bytes.subarray(sizeBytes))?.baseOffset === lastOffset + 1;
  }

  #enter({ baseOffset, lastOffset, sizeBytes, leaderEpoch, maxTimestampMs }: BatchHeader, at: number): void {
    const { baseOffset: expected } = this.#end;
    if (baseOffset > expected) this.#lost.push({ fromOffset: expected, endOffset: baseOffset });
    const records = lastOffset + 1 - baseOffset;
    const run = this.#runs.at(-1);
    if (run?.ordinal === leaderEpoch) run.records += records;
    else this.#runs.push({ ordinal: leaderEpoch, firstOffset: baseOffset, records });
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs ?? maxTimestampMs, maxTimestampMs);
    this.#end = { position: at + sizeBytes, baseOffset: lastOffset + 1 };
    this.#claim = this.#end;
  }
}

const isPlausible = (
  { baseOffset, lastOffset, recordCount, sizeBytes }: BatchHeader,
  bytesLeft: number,
): boolean =>
  baseOffset >= 0 &&
  Number.isSafeInteger(lastOffset) &&
  lastOffset - baseOffset + 1 === recordCount &&
  recordCount > 0 &&
  sizeBytes <= Math.min(bytesLeft, limits.frameBytesMax);

/**
 * The lives of a history: ordinals only rise. A batch's life is not covered by its checksum; where runs contradict each
 * other, the one with fewer records is wrong, and its records are given up.
 */
export function plausibleRuns(runs: readonly LifeRun[]): readonly LifeRun[] {
  const kept: LifeRun[] = [];
  for (const run of runs) {
    let top = kept.at(-1);
    while (top !== undefined && top.ordinal > run.ordinal && top.records < run.records) {
      kept.pop();
      top = kept.at(-1);
    }
    if (top?.ordinal === run.ordinal) top.records += run.records;
    else if (top === undefined || top.ordinal < run.ordinal) kept.push({ ...run });
  }
  return kept;
}
