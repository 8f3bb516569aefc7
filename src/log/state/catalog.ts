import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { isLegalTopicName } from '../../core/topic-name.ts';
import type { SegmentEntry } from './entries.ts';

/** A segment of one partition. */
export type Segment = Omit<SegmentEntry, 'id'>;

/** Enters a segment, or what was appended to the newest one; returns by how many bytes they grow. Segments follow each other. */
export function enterSegment(segments: Segment[], segment: Segment): number {
  const newest = segments.at(-1);
  let grownBytes = segment.sizeBytes;
  if (newest?.baseOffset === segment.baseOffset) {
    assert(segment.sizeBytes >= newest.sizeBytes, 'a segment in the catalog only grows');
    segments.pop();
    grownBytes -= newest.sizeBytes;
  } else {
    assert(segment.baseOffset >= (newest?.endOffset ?? 0), 'a segment begins after the one before it');
  }
  segments.push(segment);
  return grownBytes;
}

/** Takes the segments out that hold nothing at `logStartOffset` or above, and returns them. */
export function dropSegmentsBelow(segments: Segment[], logStartOffset: number): Segment[] {
  const kept = segments.findIndex(({ endOffset }) => endOffset > logStartOffset);
  return segments.splice(0, kept < 0 ? segments.length : kept);
}

/** The index of the segment that holds `offset`, or of the first one above it; the number of segments if there is none. */
export function segmentIndexAt(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.endOffset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const topicsFolder = 'topics';

/** The folder of a partition's segments. */
export const partitionFolder = (topic: string, partition: number): string =>
  `${topicsFolder}/${topic}-${partition}`;

/** The partition whose segments are in the folder of this name; undefined for a name that is none of ours. */
export function partitionOfFolder(name: string): { topic: string; partition: number } | undefined {
  // A topic's name may hold hyphens; the number follows on the last one.
  const [, topic = '', digits = ''] = /^(.+)-(0|[1-9]\d{0,3})$/.exec(name) ?? [];
  const partition = Number(digits);
  if (digits === '' || !isLegalTopicName(topic) || partition >= limits.partitionsPerTopicMax)
    return undefined;
  return { topic, partition };
}

/** The file of a segment, named by its base offset as in Kafka. */
export const segmentPath = (folder: string, baseOffset: number): string =>
  `${folder}/${String(baseOffset).padStart(20, '0')}.log`;

/** The base offset that a file's name says, or undefined for a name that is not a segment's. */
export const baseOffsetOf = (name: string): number | undefined =>
  /^\d{20}\.log$/.test(name) ? Number.parseInt(name, 10) : undefined;
