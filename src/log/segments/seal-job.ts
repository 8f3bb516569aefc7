import type { Disk } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { batchesOf, type PartitionBatch } from '../journal/file-index.ts';
import { frameEntries, releaseEntries } from '../journal/frame.ts';
import { type Damage, type LocatedFrame, type ScanRange, scanFile } from '../journal/scan.ts';
import type { Segment } from '../state/catalog.ts';
import { lifeAt, type Partition } from '../state/state.ts';
import type { Compression } from '../types.ts';
import { BatchMerger } from './batch-merger.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Whole journal files whose records are to go into segments; plain data, so that another thread may do it. */
export interface SealJob {
  /** Oldest first, without one missing in between. */
  readonly files: readonly (ScanRange & { readonly path: string })[];
  readonly partitions: readonly SealPartition[];
}

export interface SealPartition extends Pick<Partition, 'lives'> {
  readonly key: string;
  readonly folder: string;
  /** The first offset to seal. */
  readonly fromOffset: number;
  /** The next offset after the last of the files. */
  readonly endOffset: number;
  readonly segmentBytes: number;
  readonly compression: Compression;
  readonly open: Segment | undefined;
}

export interface SealResult {
  readonly partitions: readonly SealedPartition[];
  /** What is missing in the files. */
  readonly damage: readonly (Damage & { readonly path: string })[];
}

export interface SealedPartition {
  readonly key: string;
  /** Durable, and to be entered in the catalog. */
  readonly segments: readonly Segment[];
  /** Offsets that the medium took. */
  readonly lost: readonly OffsetRange[];
}

/** From the first offset to the one before `endOffset`. */
export interface OffsetRange {
  readonly fromOffset: number;
  readonly endOffset: number;
}

/**
 * Merges the records of journal files per partition, and appends them to segments; all of it is durable once this
 * resolves. Memory is bounded by one window of a file, or one larger frame, and what waits for a batch to become full.
 * `pace` is waited for before each
 * step that keeps the device or the processor busy; if it rejects, so does this.
 */
export async function runSealJob(disk: Disk, job: SealJob, pace: () => Promise<void>): Promise<SealResult> {
  const sealing = new Map(job.partitions.map((one) => [one.key, new PartitionSealing(disk, one, pace)]));
  const damage: (Damage & { path: string })[] = [];
  try {
    for (const file of job.files) {
      await pace();
      const found = await scanFile(disk, file.path, file, (located) => sealFrame(sealing, located));
      damage.push(...found.damage.map((lost) => ({ ...lost, path: file.path })));
    }
    const partitions: SealedPartition[] = [];
    for (const one of sealing.values()) partitions.push(await one.finish());
    return { partitions, damage };
  } catch (error) {
    for (const one of sealing.values()) await one.abandon();
    throw error;
  }
}

async function sealFrame(
  sealing: ReadonlyMap<string, PartitionSealing>,
  { frame }: LocatedFrame,
): Promise<void> {
  const entries = frameEntries(frame);
  for (const batch of batchesOf(entries))
    await sealing.get(batch.partitionKey)?.add(batch, frame.lifeOrdinal);
  releaseEntries(frame, entries);
  let pendingBytes = [...sealing.values()].reduce((sum, one) => sum + one.pendingBytes, 0);
  while (pendingBytes > limits.sealPendingBytesMax) {
    const largest = [...sealing.values()].reduce((one, other) =>
      other.pendingBytes > one.pendingBytes ? other : one,
    );
    pendingBytes -= largest.pendingBytes;
    await largest.flush();
  }
}

/** One partition on its way into its segments. */
class PartitionSealing {
  readonly #of: SealPartition;
  readonly #merger: BatchMerger;
  readonly #writer: SegmentWriter;
  readonly #lost: OffsetRange[] = [];
  #nextOffset: number;

  constructor(disk: Disk, of: SealPartition, pace: () => Promise<void>) {
    this.#of = of;
    this.#merger = new BatchMerger(of.compression);
    this.#writer = new SegmentWriter(disk, of, pace);
    this.#nextOffset = of.fromOffset;
  }

  get pendingBytes(): number {
    return this.#merger.pendingBytes;
  }

  async add(batch: PartitionBatch, lifeOrdinal: number): Promise<void> {
    const { lastOffset, baseOffset, bytes } = batch;
    if (lastOffset < this.#nextOffset || this.#isOfAnotherLife(lastOffset, lifeOrdinal)) return;
    this.#miss(baseOffset);
    for (const merged of this.#merger.add(bytes, lifeOrdinal, this.#nextOffset))
      await this.#writer.append(merged);
    this.#nextOffset = lastOffset + 1;
  }

  async flush(): Promise<void> {
    for (const merged of this.#merger.flush()) await this.#writer.append(merged);
  }

  async finish(): Promise<SealedPartition> {
    await this.flush();
    this.#miss(this.#of.endOffset);
    return { key: this.#of.key, segments: await this.#writer.finish(), lost: this.#lost };
  }

  async abandon(): Promise<void> {
    await this.#writer.abandon();
  }

  #miss(untilOffset: number): void {
    if (untilOffset > this.#nextOffset)
      this.#lost.push({ fromOffset: this.#nextOffset, endOffset: untilOffset });
  }

  /** As for readers of the journal: the table of lives says whose records these offsets are. */
  #isOfAnotherLife(offset: number, lifeOrdinal: number): boolean {
    return (lifeAt(this.#of, offset) ?? lifeOrdinal) !== lifeOrdinal;
  }
}
