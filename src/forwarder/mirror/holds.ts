import { gapsTopicName } from '../../core/topic-name.ts';
import type { PartitionInfo } from '../../log/types.ts';
import type { PartitionName, Position } from './checkpoint.ts';
import { type Aside, passAsides } from './objections.ts';

/**
 * A partition whose next records were dropped from the log, or set aside because the cluster refuses them. It goes on
 * behind them, but only once the cluster has the records of `gaps` that say so: else a crash could leave a hole that
 * nothing explains (design P4).
 */
export interface Hold {
  readonly topic: string;
  readonly partition: number;
  /** Where it goes on, as it was noticed. */
  readonly toOffset: number;
  /** High watermarks of the partitions of `gaps` at that moment: what was dropped before is told below them. */
  readonly gapsEnds: readonly { readonly partition: number; readonly endOffset: number }[];
}

export interface Standing {
  readonly positions: readonly Position[];
  readonly holds: readonly Hold[];
}

/**
 * How positions and holds change because of where the log begins now and what is set aside; null if they do not. `ledger` says how far
 * `gaps` is confirmed where it is not among the positions. Partitions of `gaps` itself never wait, and what `gaps` has
 * lost is not waited for, so nothing waits for ever.
 */
export function settleHolds(
  { positions, holds }: Standing,
  log: readonly PartitionInfo[],
  asides: readonly Aside[],
  ledger: readonly Position[],
): Standing | null {
  const infos = new Map(log.map((info) => [nameOf(info), info]));
  const goesOnAt = (position: Position): number => {
    const logStart = infos.get(nameOf(position))?.logStartOffset ?? 0;
    return passAsides(asides, position, Math.max(position.nextOffset, logStart));
  };
  const isBehind = (position: Position): boolean => position.nextOffset < goesOnAt(position);
  const jumped = positions.map((position) =>
    position.topic === gapsTopicName && isBehind(position)
      ? { ...position, nextOffset: goesOnAt(position) }
      : position,
  );
  const gaps = log.filter(({ topic }) => topic === gapsTopicName);
  const gapsEnds = gaps.map(({ partition, highWatermark }) => ({ partition, endOffset: highWatermark }));
  const fresh = jumped.filter((position) => isBehind(position) && !isHeld(holds, position));
  const all = [
    ...holds,
    ...fresh.map((position) => ({
      topic: position.topic,
      partition: position.partition,
      toOffset: goesOnAt(position),
      gapsEnds,
    })),
  ];
  const waiting = all.filter((hold) => !isOver(hold, [...jumped, ...ledger], gaps));
  const released = new Map(all.filter((hold) => !waiting.includes(hold)).map((hold) => [nameOf(hold), hold]));
  const settled = jumped.map((position) => {
    const { nextOffset } = position;
    return { ...position, nextOffset: Math.max(nextOffset, released.get(nameOf(position))?.toOffset ?? 0) };
  });
  const isSame = settled.every(({ nextOffset }, index) => nextOffset === positions[index]?.nextOffset);
  return isSame && fresh.length === 0 ? null : { positions: settled, holds: waiting };
}

/** Whether the partition waits for its gap to be told. */
export const isHeld = (holds: readonly Hold[], of: PartitionName): boolean =>
  holds.some((hold) => nameOf(hold) === nameOf(of));

function isOver(hold: Hold, positions: readonly Position[], gaps: readonly PartitionInfo[]): boolean {
  return hold.gapsEnds.every(({ partition, endOffset }) => {
    const info = gaps.find((one) => one.partition === partition);
    // The topic was deleted, and with it what was to be waited for.
    if (info === undefined) return true;
    const confirmed = positions.find((one) => nameOf(one) === nameOf(info))?.nextOffset ?? 0;
    return confirmed >= Math.min(endOffset, info.highWatermark);
  });
}

const nameOf = ({ topic, partition }: PartitionName): string => `${topic}/${partition}`;
