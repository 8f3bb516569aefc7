import { limits } from '../core/limits.ts';
import { partitionFolder, type Segment } from './catalog.ts';
import { type Entry, sealedOffsetEntry, segmentEntry } from './entries.ts';
import type { JournalFile } from './journal-files.ts';
import type { SealedPartition, SealJob, SealPartition } from './seal-job.ts';
import { type LogState, type Partition, partitionKey } from './state.ts';

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
  const endOf = (partition: Partition, fileIndex: number): number =>
    files[fileIndex + 1]?.marks.get(partitionKey(partition.id))?.nextOffset ?? 0;
  const closed = files.slice(0, -1);
  const first = closed.findIndex((_, index) =>
    partitions.some((partition) => endOf(partition, index) > partition.sealedOffset),
  );
  const sealed = closed.slice(first, first + limits.sealFilesMax);
  if (first < 0 || sealed.length < limits.sealFilesMin) return undefined;
  const last = first + sealed.length - 1;
  return {
    files: sealed.map(({ path, header, startPosition, endCommit }) => {
      const { salt, firstCommit } = header;
      return { path, salt, startPosition, firstCommit, endCommit };
    }),
    partitions: partitions
      .filter((partition) => endOf(partition, last) > partition.sealedOffset)
      .map((partition) => sealPartition(state, partition, endOf(partition, last), open)),
  };
}

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
    segmentBytes: segmentBytes ?? limits.segmentBytesDefault,
    compression: compression ?? 'zstd',
    open: open.get(key),
  };
}

/**
 * What the catalog is to say of a seal job that is done. Records that were removed meanwhile stay removed.
 */
export function sealEntries(
  state: LogState,
  job: SealJob,
  sealed: readonly SealedPartition[],
): readonly Entry[] {
  const partitions = new Map(state.partitions().map((partition) => [partitionKey(partition.id), partition]));
  return job.partitions.flatMap(({ key, endOffset }): readonly Entry[] => {
    const partition = partitions.get(key);
    if (partition === undefined || partition.logStartOffset >= endOffset) return [];
    const { id, logStartOffset } = partition;
    const segments = sealed.find((one) => one.key === key)?.segments ?? [];
    return [
      ...segments
        .filter((segment) => segment.endOffset > logStartOffset)
        .map((segment) => segmentEntry({ ...segment, id })),
      sealedOffsetEntry({ id, sealedOffset: endOffset }),
    ];
  });
}
