import type { LifeStart } from '../log/types.ts';
import type { Checkpoint } from './checkpoint.ts';

/** What the local log knows of one partition. */
export interface LocalPartition {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  /** Lives that hold records of the partition, oldest first. */
  readonly lives: readonly LifeStart[];
}

export type ResumePoint =
  | { readonly kind: 'offset'; readonly offset: number }
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
    return { kind: 'offset', offset: logStartOffset };
  const index = checkpoint.lives.findLastIndex(({ life }) => localEnd(local, life) !== null);
  const known = checkpoint.lives[index];
  if (known === undefined) return { kind: 'unknown-life', life: checkpoint.lives.at(-1)?.life ?? null };
  const agreed = Math.min(
    checkpoint.nextOffset,
    checkpoint.lives[index + 1]?.firstOffset ?? checkpoint.nextOffset,
    localEnd(local, known.life) ?? 0,
  );
  return { kind: 'offset', offset: Math.max(agreed, logStartOffset) };
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

/** The first offset after a life's records, or null for a life that the folder does not know. */
function localEnd(local: LocalPartition, life: string): number | null {
  const index = local.lives.findIndex((known) => known.life === life);
  if (index < 0) return null;
  return local.lives[index + 1]?.firstOffset ?? local.highWatermark;
}
