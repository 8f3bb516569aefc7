import { limits } from '../../core/limits.ts';
import { type JournalFile, marksAfter } from '../journal/journal-files.ts';
import type { Loss } from '../retention/loss-ledger.ts';
import { partitionFolder, type Segment } from '../state/catalog.ts';
import { type Entry, partitionKey, sealedOffsetEntry, segmentEntry } from '../state/entries.ts';
import type { LogState, Partition } from '../state/state.ts';
import { topicDefaults } from '../state/topic-defaults.ts';
import type { SealedPartition, SealJob, SealPartition } from './seal-job.ts';

/**
 * What is to be sealed now: whole journal files, oldest first, once there are enough of them; undefined if there is
 * nothing to do. `open` says which segment of a partition (by its key) may be appended to.
 */
export function planSeal(
  state: LogState,
  files: readonly JournalFile[],
  open: ReadonlyMap<string, Segment>,
): SealJob | undefined {
  const partitions = state.partitions();
  const unsealed = countUnsealed(state, files);
  if (unsealed < limits.sealFilesMin) return undefined;
  const first = files.length - 1 - unsealed;
  const sealed = files.slice(first, -1).slice(0, limits.sealFilesMax);
  const last = first + sealed.length - 1;
  return {
    files: sealed.map(({ path, header, startPosition, endCommit }) => {
      const { salt, firstCommit } = header;
      return { path, salt, startPosition, firstCommit, endCommit };
    }),
    partitions: partitions
      .filter((partition) => endOf(files, partition, last) > partition.sealedOffset)
      .map((partition) => sealPartition(state, partition, endOf(files, partition, last), open)),
  };
}

/** How many closed files there are from the first one on that holds what is not sealed. */
export function countUnsealed(state: LogState, files: readonly JournalFile[]): number {
  const partitions = state.partitions();
  const closed = files.slice(0, -1);
  const first = closed.findIndex((_, index) =>
    partitions.some((partition) => endOf(files, partition, index) > partition.sealedOffset),
  );
  return first < 0 ? 0 : closed.length - first;
}

/** The offset after the last record of the partition in a file. */
const endOf = (files: readonly JournalFile[], partition: Partition, fileIndex: number): number =>
  marksAfter(files, fileIndex).get(partitionKey(partition.id))?.nextOffset ?? 0;

function sealPartition(
  state: LogState,
  { id, topic, lives, sealedOffset }: Partition,
  endOffset: number,
  open: ReadonlyMap<string, Segment>,
): SealPartition {
  const key = partitionKey(id);
  const { segmentBytes, compression } = state.topic(topic)?.settings ?? {};
  return {
    key,
    folder: partitionFolder(topic, id.partition),
    fromOffset: sealedOffset,
    endOffset,
    lives,
    segmentBytes: segmentBytes ?? topicDefaults.segmentBytes,
    compression: compression ?? topicDefaults.compression,
    open: open.get(key),
  };
}

/**
 * What the catalog is to say of a seal job that is done, and what the ledger is to say of what was missing in the files.
 * Records that were removed meanwhile stay removed.
 */
export function sealEntries(
  state: LogState,
  job: SealJob,
  sealed: readonly SealedPartition[],
): { readonly entries: readonly Entry[]; readonly losses: readonly Loss[] } {
  const partitions = new Map(state.partitions().map((partition) => [partitionKey(partition.id), partition]));
  const entries: Entry[] = [];
  const losses: Loss[] = [];
  for (const { key, endOffset } of job.partitions) {
    const partition = partitions.get(key);
    if (partition === undefined || partition.logStartOffset >= endOffset) continue;
    const { id, topic, logStartOffset } = partition;
    const { segments, lost } = sealed.find((one) => one.key === key) ?? { segments: [], lost: [] };
    for (const segment of segments)
      if (segment.endOffset > logStartOffset) entries.push(segmentEntry({ ...segment, id }));
    entries.push(sealedOffsetEntry({ id, sealedOffset: endOffset }));
    for (const range of lost) {
      const firstOffset = Math.max(range.fromOffset, logStartOffset);
      const loss = { topic, partition: id.partition, firstOffset, endOffset: range.endOffset };
      if (firstOffset < range.endOffset) losses.push({ ...loss, reason: 'damage' });
    }
  }
  return { entries, losses };
}
