import type { ReadableFile } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { type BatchHeader, peekBatchHeader } from '../encoding/batch.ts';
import { readOverDamage } from '../journal/journal-files.ts';
import type { SegmentPlace } from './segment-table.ts';

/** Positions in a file. */
interface SearchRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The first batch between two positions of a segment that is whole there and that `accepts` takes; it is shown the
 * bytes from the batch on. Undefined if there is none. Looks at every byte, so it is for damaged places only.
 */
export async function searchBatch(
  file: ReadableFile,
  range: SearchRange,
  accepts: (header: BatchHeader, position: number, view: Buffer) => boolean,
): Promise<SegmentPlace | undefined> {
  for (let start = range.start; start < range.end; start += limits.readBytesMax) {
    // One window reaches into the next, so that a batch on the border is found whole.
    const windowBytes = Math.min(range.end - start, limits.readBytesMax + limits.frameBytesMax);
    const bytes = await readOverDamage(file, start, windowBytes);
    for (let at = 0; at < Math.min(bytes.length, limits.readBytesMax); at += 1) {
      if (bytes[at + 16] !== 2) continue;
      const view = bytes.subarray(at);
      const header = peekBatchHeader(view);
      if (header === undefined || header.sizeBytes > view.length) continue;
      if (accepts(header, start + at, view)) return { position: start + at, baseOffset: header.baseOffset };
    }
  }
  return undefined;
}
