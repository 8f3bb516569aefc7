import type { LaneName } from '../../log/types.ts';

/** What things of the mirror are called in the cluster. Changing any of these makes a different gateway of it. */

/** One lane of one data folder. Whoever else initialises it fences us. */
export const transactionalId = (logId: string, lane: LaneName): string => `headwater-${logId}-${lane}`;

/** Keys of checkpoint records of one log begin with this. */
export const checkpointKeyPrefix = (logId: string): string => `${logId}/`;

/** The key of the checkpoint record of a partition; compaction keeps the newest record of each key. */
export const checkpointKey = (logId: string, topic: string, partition: number): string =>
  `${checkpointKeyPrefix(logId)}${topic}/${partition}`;

/** The key of records by which the mirror asks, without transactions, whether the cluster takes what is stamped now. */
export const probeKey = 'probe';

/** The key, in the journal, of the mirror's identity. */
export const identityMemo = 'identity';

/** The key, in the journal, of what of the link was spent today. */
export const accountMemo = 'link-account';

/** The key, in the journal, of what is remembered of a partition. */
export const copyMemo = (topic: string, partition: number): string => `copy/${topic}/${partition}`;

/** The key, in the journal, of what of a partition is set aside. */
export const asideMemo = (topic: string, partition: number): string => `aside/${topic}/${partition}`;

/** Whether this is a key of either kind. */
export const isPartitionMemo = (key: string): boolean => key.startsWith('copy/') || key.startsWith('aside/');
