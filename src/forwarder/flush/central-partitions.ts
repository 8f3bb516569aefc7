import { partitionForKey } from '../../log/commits/partitioner.ts';
import type { SessionTopic } from '../cluster/target.ts';

type Layout = Pick<SessionTopic, 'isByKey' | 'partitions' | 'sourcePartitions'>;

/**
 * The central partition of a record of this partition of the log: the same one, or by Kafka's default partitioner that of
 * its key. Without a key it is always the same one for a partition of the log, so that order is kept there as well.
 */
export function centralPartition(
  { isByKey, partitions }: Layout,
  partition: number,
  { key }: { readonly key: Uint8Array | null },
): number {
  if (!isByKey) return partition;
  return key === null ? partition % partitions : partitionForKey(key, partitions);
}

/** The partitions of the log of which records may have to go to a central one; none if it is more than was asked for. */
export function sourcePartitions(
  { isByKey, partitions, sourcePartitions: count }: Layout,
  partition: number,
): readonly number[] {
  if (partition >= partitions) return [];
  return isByKey ? Array.from({ length: count }, (_, index) => index) : [partition];
}
