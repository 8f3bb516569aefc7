import { type Segment, segmentIndexAt } from './state/catalog.ts';
import type { LogState, Partition } from './state/state.ts';

/**
 * About how many bytes the batches of a partition take from an offset on, as they are stored: those in segments as
 * their files have them, the rest as the journal has it, uncompressed. It looks at nothing but memory: a segment that
 * the offset is within counts by its share of records, and records of the journal count what such records took lately.
 */
export function storedBytes(state: LogState, partition: Partition, fromOffset: number): number {
  const { segments, sealedOffset, nextOffset, logStartOffset } = partition;
  const from = Math.max(fromOffset, logStartOffset);
  let bytes = 0;
  for (let index = segmentIndexAt(segments, from); index < segments.length; index += 1)
    bytes += bytesFrom(segments[index] as Segment, from);
  const unsealed = Math.max(0, nextOffset - Math.max(from, sealedOffset));
  return Math.round(bytes + unsealed * (state.recordSizes.of(partition.id) ?? sealedRecordBytes(segments)));
}

function bytesFrom({ baseOffset, endOffset, sizeBytes }: Segment, from: number): number {
  const records = endOffset - baseOffset;
  return sizeBytes * Math.min(1, (endOffset - from) / records);
}

/** What a record takes in the newest segment; 0 if there is none. */
function sealedRecordBytes(segments: readonly Segment[]): number {
  const newest = segments.at(-1);
  return newest === undefined ? 0 : newest.sizeBytes / (newest.endOffset - newest.baseOffset);
}
