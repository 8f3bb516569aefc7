import type { StampedRecord } from '../../core/record.ts';
import { gapsTopicName } from '../../core/topic-name.ts';

/** Offsets of a partition that do not arrive, from the first to the one before `endOffset`. */
export interface Loss {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  /** Those that are `refused` by the cluster stay in the log as long as others; the rest is gone for ever. */
  readonly reason: 'retention' | 'disk-budget' | 'damage' | 'refused';
  /** The cluster's word for why it refuses them. */
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
