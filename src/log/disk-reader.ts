import type { ClockEpochs } from './clock/clock-epochs.ts';
import { newestMs } from './clock/segment-time.ts';
import { decodeBatch } from './encoding/batch.ts';
import { release } from './encoding/bytes.ts';
import type { JournalFile, ReadEnvironment } from './journal/journal-files.ts';
import { JournalReader } from './journal/journal-reader.ts';
import type { Loss } from './retention/loss-ledger.ts';
import { SegmentReader } from './segments/segment-reader.ts';
import type { Partition } from './state/state.ts';
import type { StoredBatch } from './types.ts';

/** Reads what is no longer in the tail: from segments as far as they reach, then from the journal. */
export class DiskReader {
  readonly #journal: JournalReader;
  readonly #segments: SegmentReader;
  /** What was read and may be given back. */
  readonly #lent = new WeakSet<readonly StoredBatch[]>();

  /** `onLoss` hears of records in segments that the medium took, once in this run. */
  constructor(env: ReadEnvironment, onLoss: (loss: Loss) => void) {
    this.#journal = new JournalReader(env);
    this.#segments = new SegmentReader(env, onLoss);
  }

  /** Batches of the partition from `offset` on, about `bytesMax` bytes of them but at least one if there is one. */
  async read(
    files: readonly JournalFile[],
    partition: Partition,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const batches = await this.#read(files, partition, offset, bytesMax);
    this.#lent.add(batches);
    return batches;
  }

  /** Gives the memory of batches back that `read` returned; of any others, nothing. */
  giveBack(batches: readonly StoredBatch[]): void {
    if (!this.#lent.delete(batches)) return;
    for (const { bytes } of batches) release(bytes);
  }

  async #read(
    files: readonly JournalFile[],
    partition: Partition,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const { sealedOffset } = partition;
    if (offset < sealedOffset) {
      const batches = await this.#segments.read(partition, offset, bytesMax);
      if (batches.length > 0) return batches;
    }
    const from = Math.max(offset, sealedOffset);
    const batches = await this.#journal.read(files, partition, from, bytesMax);
    // What is in segments by now may have left the journal while it was read.
    return partition.sealedOffset > from ? await this.#read(files, partition, offset, bytesMax) : batches;
  }
}

/**
 * The offset of the partition's first record whose timestamp is at or after `timestampMs`; its next offset if there is
 * none. `read` gives batches from an offset on, none at the end.
 */
export async function offsetForTime(
  epochs: ClockEpochs,
  partition: Partition,
  timestampMs: number,
  read: (offset: number) => Promise<readonly StoredBatch[]>,
): Promise<number> {
  const { segments, sealedOffset, logStartOffset } = partition;
  const segment = segments.find((one) => newestMs(epochs, partition, one) >= timestampMs);
  let offset = Math.max(segment?.baseOffset ?? sealedOffset, logStartOffset);
  for (;;) {
    // Retention may go on meanwhile.
    offset = Math.max(offset, partition.logStartOffset);
    const batches = await read(offset);
    const last = batches.at(-1);
    if (last === undefined) return partition.nextOffset;
    for (const batch of batches) {
      if (batch.maxTimestampMs < timestampMs) continue;
      const record = decodeBatch(batch.bytes).find(
        (one) => one.timestampMs >= timestampMs && one.offset >= offset,
      );
      if (record !== undefined) return record.offset;
    }
    offset = last.lastOffset + 1;
  }
}
