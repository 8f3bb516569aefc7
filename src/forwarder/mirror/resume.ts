import type { LifeStart } from '../../log/types.ts';
import type { Checkpoint, CheckpointCopy, PartitionName, Position } from './checkpoint.ts';
import type { Aside } from './objections.ts';

/** What the local log knows of one partition. */
export interface LocalPartition {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  /** Lives that hold records of the partition, oldest first. */
  readonly lives: readonly LifeStart[];
}

export type ResumePoint =
  /** Below `arrived` everything has arrived; the log may begin behind it. */
  | { readonly kind: 'offset'; readonly offset: number; readonly arrived: number }
  /** The folder knows none of the lives that the checkpoint lists: it is another history, or an older one. */
  | { readonly kind: 'unknown-life'; readonly life: string | null };

/**
 * Where the mirror goes on (design §6, the leader-epoch rule of KIP-101). Records of a life are the same in the log
 * and in the cluster as far as both have them; so the newest listed life that the folder still knows says how far
 * the two histories agree. Sending again what the cluster may have under another life is the lesser evil:
 * no reading is ever skipped.
 */
export function resumePoint(local: LocalPartition, checkpoint: Checkpoint | null): ResumePoint {
  const { logStartOffset } = local;
  if (checkpoint === null || checkpoint.nextOffset <= logStartOffset)
    return { kind: 'offset', offset: logStartOffset, arrived: checkpoint?.nextOffset ?? 0 };
  const index = checkpoint.lives.findLastIndex(({ life }) => localEnd(local, life) >= 0);
  const known = checkpoint.lives[index];
  if (known === undefined) return { kind: 'unknown-life', life: checkpoint.lives.at(-1)?.life ?? null };
  const agreed = Math.min(
    checkpoint.nextOffset,
    checkpoint.lives[index + 1]?.firstOffset ?? checkpoint.nextOffset,
    localEnd(local, known.life),
  );
  return { kind: 'offset', offset: Math.max(agreed, logStartOffset), arrived: agreed };
}

/** What is known about where the mirror of a partition stands. */
export interface ResumeSources {
  /** What the cluster says under our own identity. */
  readonly own: Checkpoint | null;
  /** What it says under the identities of our past. */
  readonly ancestors: readonly Checkpoint[];
  /** What the gateway itself remembers. */
  readonly copy: CheckpointCopy | null;
}

export type OnCheckpointLost = 'resume' | 'resend' | 'stop';

export type Resumption =
  | ({
      readonly kind: 'resumed';
      /** The cluster says nothing, though a cluster had confirmed records of this partition. */
      readonly isLost: boolean;
      /** Below this everything has arrived: what lies between it and `nextOffset` was dropped from the log. */
      readonly arrived: number;
    } & Checkpoint)
  /**
   * Somebody else has written under our identity, or we did in a past that this folder has lost: in a life that it does not
   * know, or that went further there than here.
   */
  | { readonly kind: 'other-history'; readonly life: string };

/**
 * Where one partition goes on in this cluster. All sources obey the rule of {@link resumePoint}; the one that leads
 * farthest counts, because each tells of records that did arrive.
 */
export function resumption(
  local: LocalPartition,
  { own, ancestors, copy }: ResumeSources,
  clusterId: string,
  onLost: OnCheckpointLost,
): Resumption {
  const newest = own?.lives.at(-1)?.life ?? 'none';
  if (own !== null && own.nextOffset > local.logStartOffset && own.nextOffset > localEnd(local, newest))
    return { kind: 'other-history', life: newest };
  const said = own === null ? ancestors : [own, ...ancestors];
  // In the same cluster a first transaction that never arrived looks the same as one that was lost.
  const isElsewhere = copy !== null && copy.clusterId !== clusterId;
  const confirmed = Math.max(copy?.nextOffset ?? 0, isElsewhere ? (copy.sendingTo ?? 0) : 0);
  const isLost = said.length === 0 && confirmed > local.logStartOffset;
  const remembered = copy !== null && (!isElsewhere || isLost) ? [copy] : [];
  let best: Checkpoint = { nextOffset: local.logStartOffset, lives: [] };
  let arrived = 0;
  if (isLost && onLost === 'resend') return { kind: 'resumed', isLost, arrived, ...best };
  for (const source of [...said, ...remembered]) {
    const point = resumePoint(local, source);
    if (point.kind === 'unknown-life') continue;
    arrived = Math.max(arrived, point.arrived);
    const lives = source.lives.filter(({ firstOffset }) => firstOffset < point.offset);
    const isAhead = point.offset > best.nextOffset;
    const tellsMore = point.offset === best.nextOffset && best.lives.length === 0;
    if (isAhead || tellsMore) best = { nextOffset: point.offset, lives };
  }
  return { kind: 'resumed', isLost, arrived: Math.min(arrived, best.nextOffset), ...best };
}

/** A partition at the start of a session, and all that is known of it. */
export interface ResumedPartition extends LocalPartition, ResumeSources, PartitionName {
  /** Records that are passed without being sent. */
  readonly asides: readonly Aside[];
}

export type ResumedPositions =
  | {
      readonly kind: 'resumed';
      /** Up to where everything has arrived; what the log no longer has may follow. */
      readonly positions: readonly Position[];
      /** Of these the cluster has no checkpoint under our identity. */
      readonly unannounced: readonly Position[];
      readonly lost: readonly ResumedPartition[];
    }
  | Extract<Resumption, { readonly kind: 'other-history' }>;

/**
 * Where all partitions go on, by the rules of {@link resumption}. Of `others`, which this lane does not mirror, no position
 * is told: only whether they tell of another history, and if all is to stop for a lost checkpoint, whether theirs is lost.
 */
export function resumePositions(
  partitions: readonly ResumedPartition[],
  others: readonly ResumedPartition[],
  clusterId: string,
  onLost: OnCheckpointLost,
): ResumedPositions {
  const positions: Position[] = [];
  const unannounced: Position[] = [];
  const lost: ResumedPartition[] = [];
  const otherLives: string[] = [];
  for (const local of partitions) {
    const resumed = resumption(local, local, clusterId, onLost);
    if (resumed.kind === 'other-history') {
      otherLives.push(resumed.life);
      continue;
    }
    const { topic, partition } = local;
    const position = { topic, partition, nextOffset: resumed.arrived, lives: resumed.lives };
    positions.push(position);
    if (local.own === null && position.nextOffset > local.logStartOffset) unannounced.push(position);
    if (resumed.isLost) lost.push(local);
  }
  for (const other of others) {
    const resumed = resumption(other, other, clusterId, onLost);
    if (resumed.kind === 'other-history') otherLives.push(resumed.life);
    else if (resumed.isLost && onLost === 'stop') lost.push(other);
  }
  // In whichever lane, and if a backup from before the minting is restored: always the same one of them.
  const life = otherLives.sort()[0];
  return life === undefined
    ? { kind: 'resumed', positions, unannounced, lost }
    : { kind: 'other-history', life };
}

/** Lives of the local table that hold records of [`fromOffset`, `nextOffset`), oldest first. */
export function livesWithin(
  table: readonly LifeStart[],
  fromOffset: number,
  nextOffset: number,
): readonly LifeStart[] {
  return table.filter(
    ({ firstOffset }, index) =>
      firstOffset < nextOffset && (table[index + 1]?.firstOffset ?? nextOffset) > fromOffset,
  );
}

/** The first offset after a life's records, or -1 for a life that the folder does not know. */
function localEnd(local: LocalPartition, life: string): number {
  const index = local.lives.findIndex((known) => known.life === life);
  if (index < 0) return -1;
  return local.lives[index + 1]?.firstOffset ?? local.highWatermark;
}
