import type { DiskFile } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { boundQuarantine, type LogEnvironment, moveToQuarantine } from '../journal/journal-files.ts';
import {
  baseOffsetOf,
  partitionFolder,
  partitionOfFolder,
  type Segment,
  segmentPath,
  topicsFolder,
} from '../state/catalog.ts';
import type { LogState, Partition } from '../state/state.ts';
import { scanSegment } from './segment-scan.ts';

/**
 * Brings the folders of segments to what the catalog says, at the beginning of a life: what an interrupted sealing or
 * removal has left is removed or cut off. Segments that are missing or too short are told; readers go on behind them. So is
 * what is newer than the journal, as after half of a folder was restored from a backup; that is kept in quarantine.
 */
export async function tidySegments(env: LogEnvironment, state: LogState): Promise<void> {
  const partitions = new Map(
    state.everyPartition().map((one) => [partitionFolder(one.topic, one.id.partition), one]),
  );
  for (const name of await env.disk.list(topicsFolder)) {
    const folder = `${topicsFolder}/${name}`;
    if (partitionOfFolder(name) !== undefined && !partitions.has(folder))
      await tidyFolder(env, folder, noPartition);
  }
  for (const [folder, partition] of partitions) await tidyFolder(env, folder, partition);
  // A crash may have come between a move into it and this.
  await boundQuarantine(env);
}

type Known = Pick<Partition, 'segments' | 'logStartOffset' | 'nextOffset'>;
const noPartition: Known = { segments: [], logStartOffset: 0, nextOffset: 0 };

async function tidyFolder(env: LogEnvironment, folder: string, known: Known): Promise<void> {
  const { disk, logger } = env;
  const { segments, logStartOffset, nextOffset } = known;
  const missing = new Map(segments.map((segment) => [segment.baseOffset, segment]));
  for (const name of await disk.list(folder)) {
    const baseOffset = baseOffsetOf(name);
    if (baseOffset === undefined || missing.delete(baseOffset)) continue;
    const path = segmentPath(folder, baseOffset);
    const isRemoved = baseOffset < logStartOffset;
    const endOffset = isRemoved ? logStartOffset : await endOffsetOf(env, path, { position: 0, baseOffset });
    if (Math.max(endOffset, baseOffset + 1) > nextOffset)
      await keepInQuarantine(env, folder, baseOffset, endOffset);
    else await disk.remove(path);
  }
  for (const { baseOffset, endOffset } of missing.values())
    logger.error(
      { file: segmentPath(folder, baseOffset), firstOffset: baseOffset, endOffset },
      'a segment is missing from the data folder; its records are lost',
    );
  const newest = segments.at(-1);
  if (newest === undefined || missing.has(newest.baseOffset)) return;
  await cutNewest(env, segmentPath(folder, newest.baseOffset), newest, nextOffset);
}

/** Only the newest segment may have been appended to when the last life ended. */
async function cutNewest(
  { disk, logger }: LogEnvironment,
  path: string,
  { sizeBytes, endOffset }: Segment,
  nextOffset: number,
): Promise<void> {
  const file = await disk.open(path);
  try {
    if ((await file.size()) <= sizeBytes) return;
    const { end } = await scanSegment(file, { position: sizeBytes, baseOffset: endOffset }, everything);
    if (end.baseOffset > nextOffset)
      logger.error(
        { file: path, firstOffset: nextOffset, endOffset: end.baseOffset },
        'a segment is newer than the journal, which knows nothing of these records; they are lost',
      );
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}

const everything = { untilOffset: Number.POSITIVE_INFINITY, isOurs: () => true };

async function endOffsetOf(
  { disk }: LogEnvironment,
  path: string,
  from: { readonly position: number; readonly baseOffset: number },
): Promise<number> {
  const file = await disk.open(path);
  try {
    return (await scanSegment(file, from, everything)).end.baseOffset;
  } finally {
    await file.close();
  }
}

/** Takes a segment out of the way that does not fit to the journal, and says so. */
export async function keepInQuarantine(
  env: LogEnvironment,
  folder: string,
  baseOffset: number,
  endOffset: number,
): Promise<void> {
  const path = segmentPath(folder, baseOffset);
  const name = path.slice(folder.length + 1);
  const kept = `${folder.slice(topicsFolder.length + 1)}.${name}`;
  await moveToQuarantine(env, folder, name, kept);
  env.logger.error(
    { file: path, firstOffset: baseOffset, endOffset },
    'a segment does not fit to what the journal says; it is kept in the quarantine folder, and what only it holds is lost',
  );
}

/** Writes a stretch of a file again as it reads, so that the next sync makes it durable whatever was before. */
export async function copyOntoItself(file: DiskFile, from: number, end: number): Promise<void> {
  const bytes = Buffer.alloc(Math.min(end - from, limits.sealSyncBytes));
  for (let at = from; at < end; at += bytes.length) {
    const count = await file.readAt(bytes, at);
    await file.writeAt(bytes.subarray(0, Math.min(count, end - at)), at);
  }
}
