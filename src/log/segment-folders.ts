import { baseOffsetOf, partitionFolder, type Segment, segmentPath } from './catalog.ts';
import type { LogEnvironment } from './journal-files.ts';
import type { LogState } from './state.ts';

/**
 * Brings the folders of segments to what the catalog says, at the beginning of a life: what an interrupted sealing or
 * removal has left is removed or cut off. Segments that are missing or too short are told; readers go on behind them.
 */
export async function tidySegments(env: LogEnvironment, state: LogState): Promise<void> {
  for (const { topic, id, segments } of state.everyPartition())
    await tidyFolder(env, partitionFolder(topic, id.partition), segments);
}

async function tidyFolder(
  { disk, logger }: LogEnvironment,
  folder: string,
  segments: readonly Segment[],
): Promise<void> {
  const missing = new Map(segments.map((segment) => [segment.baseOffset, segment]));
  for (const name of await disk.list(folder)) {
    const baseOffset = baseOffsetOf(name);
    if (baseOffset === undefined) continue;
    if (!missing.delete(baseOffset)) await disk.remove(segmentPath(folder, baseOffset));
  }
  for (const { baseOffset, endOffset } of missing.values())
    logger.error(
      { file: segmentPath(folder, baseOffset), firstOffset: baseOffset, endOffset },
      'a segment is missing from the data folder; its records are lost',
    );
  const newest = segments.at(-1);
  if (newest === undefined || missing.has(newest.baseOffset)) return;
  const file = await disk.open(segmentPath(folder, newest.baseOffset));
  try {
    // Only the newest one may have been appended to when the last life ended.
    if ((await file.size()) > newest.sizeBytes) await file.truncate(newest.sizeBytes);
  } finally {
    await file.close();
  }
}
