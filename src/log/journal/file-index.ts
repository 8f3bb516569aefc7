import { readBatchHeader } from '../encoding/batch.ts';
import { decodeEntries, entryKinds, partitionKey, readRecordBatchEntry } from '../state/entries.ts';
import type { StoredBatch } from '../types.ts';

/** A batch together with the partition it is of. */
export interface PartitionBatch extends StoredBatch {
  readonly partitionKey: string;
}

/** Where a frame lies that holds records of a partition. */
export interface FramePlace {
  readonly position: number;
  readonly sizeBytes: number;
  /** The life that wrote the frame. */
  readonly lifeOrdinal: number;
  /** The last offset of the partition in that frame. */
  readonly lastOffset: number;
}

/** The record batches among the entries of a frame; views, not copies. */
export function batchesOf(entries: Uint8Array): PartitionBatch[] {
  return decodeEntries(entries)
    .filter((entry) => entry.kind === entryKinds.recordBatch)
    .map((entry) => {
      const { id, batch } = readRecordBatchEntry(entry);
      const { baseOffset, lastOffset, maxTimestampMs } = readBatchHeader(batch);
      return {
        partitionKey: partitionKey(id),
        baseOffset,
        lastOffset,
        maxTimestampMs,
        sealed: false,
        bytes: batch,
      };
    });
}

/** For one file: which frames hold records of which partition, in the order of their offsets. */
export class FileIndex {
  readonly #places = new Map<string, FramePlace[]>();

  /** Enters a frame; frames come in the order in which they lie in the file. */
  add(
    frame: Pick<FramePlace, 'position' | 'sizeBytes' | 'lifeOrdinal'>,
    batches: readonly PartitionBatch[],
  ): void {
    for (const { partitionKey, lastOffset } of batches) {
      const places = this.#places.get(partitionKey) ?? [];
      places.push({ ...frame, lastOffset });
      this.#places.set(partitionKey, places);
    }
  }

  /** The frames with records of the partition at `offset` or above. */
  from(partitionKey: string, offset: number): readonly FramePlace[] {
    const places = this.#places.get(partitionKey) ?? [];
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((places[middle]?.lastOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return places.slice(low);
  }
}
