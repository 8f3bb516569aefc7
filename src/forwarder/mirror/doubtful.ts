import type { PartitionInfo } from '../../log/types.ts';
import { type CheckpointCopy, isSame, type PartitionName, type Position } from './checkpoint.ts';
import { type LocalPartition, type OnCheckpointLost, type ResumedPartition, resumption } from './resume.ts';

/*
 * Which records may arrive twice, when it is no longer certain what has arrived. No reading is skipped, so some may be sent that
 * the cluster has; the loss ledger names them before they are sent. Pure, like the mirror itself.
 */

/** Records that may arrive twice, from the first to the one before `nextOffset`. */
export interface DoubtfulRange extends PartitionName {
  readonly fromOffset: number;
  readonly nextOffset: number;
}

/** Why records are in doubt, in the words of the loss ledger. */
export type Doubt = 'checkpoint-lost' | 'new-identity';

/** Where the checkpoint is lost: what was confirmed, or under way, and is sent from `positions` on. */
export function doubtfulAfterLoss(
  lost: readonly ResumedPartition[],
  positions: readonly Position[],
): readonly DoubtfulRange[] {
  return lost.flatMap((one) => {
    const position = positions.find((of) => isSame(of, one));
    return range(one, position?.nextOffset ?? 0, arrivedAtMost(one.copy));
  });
}

/** Under a new identity: all that is sent from here on may be sent by the other past as well, but for what is appended later. */
export function doubtfulUnderNewIdentity(
  partitions: readonly ResumedPartition[],
  clusterId: string,
  onLost: OnCheckpointLost,
): readonly DoubtfulRange[] {
  return partitions.flatMap((one) => {
    const ancestors = one.own === null ? one.ancestors : [...one.ancestors, one.own];
    const resumed = resumption(one, { ...one, own: null, ancestors }, clusterId, onLost);
    return range(one, resumed.kind === 'resumed' ? resumed.nextOffset : 0, one.highWatermark);
  });
}

/** On another board: the same, before any cluster was asked. Its copies say what had arrived when this one was made. */
export const doubtfulOnNewBoard = (
  partitions: readonly PartitionInfo[],
  offsetOf: (topic: string, partition: number) => number,
): readonly DoubtfulRange[] =>
  partitions.flatMap((one) => range(one, offsetOf(one.topic, one.partition), one.highWatermark));

const arrivedAtMost = (copy: CheckpointCopy | null): number =>
  Math.max(copy?.nextOffset ?? 0, copy?.sendingTo ?? 0);

/** Of these offsets those that the log has; none or one range. */
function range(
  { topic, partition, logStartOffset, highWatermark }: PartitionName & Omit<LocalPartition, 'lives'>,
  from: number,
  end: number,
): readonly DoubtfulRange[] {
  const fromOffset = Math.max(from, logStartOffset);
  const nextOffset = Math.min(end, highWatermark);
  return fromOffset < nextOffset ? [{ topic, partition, fromOffset, nextOffset }] : [];
}
