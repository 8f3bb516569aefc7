import type { StampedRecord } from '../../core/record.ts';
import { gapsTopicName } from '../../core/topic-name.ts';

/** Why the cluster does not have records, and will not. */
export const lossReasons = ['retention', 'disk-budget', 'damage', 'refused'] as const;

/** Offsets of a partition that do not arrive, or may arrive twice, from the first to the one before `endOffset`. */
export interface Loss {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  /** Those that are `refused` by the cluster, or a `possible-duplicate`, stay in the log as long as others; the rest is gone for ever. */
  readonly reason: (typeof lossReasons)[number] | 'possible-duplicate';
  /** The cluster's word for why it refuses them, or ours for why they are in doubt. */
  readonly cause?: string;
}

/** A row of the loss ledger, as a record of the topic `gaps`. `nowMs` is the wall clock. */
export function gapRecord(
  { topic, partition, firstOffset, endOffset, reason, cause }: Loss,
  nowMs: number,
): StampedRecord {
  const time = new Date(nowMs).toISOString();
  const row = { topic, partition, firstOffset, lastOffset: endOffset - 1, reason, cause, time };
  return {
    topic: gapsTopicName,
    key: Buffer.from(`${topic}-${partition}`),
    value: Buffer.from(JSON.stringify(row)),
    timestampMs: nowMs,
    headers: [],
  };
}
