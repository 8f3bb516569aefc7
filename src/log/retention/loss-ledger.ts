import type { NewRecord } from '../../core/record.ts';
import { gapsTopicName } from '../../core/topic-name.ts';

/** Offsets of a partition that are gone for ever without having arrived, from the first to the one before `endOffset`. */
export interface Loss {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  readonly reason: 'retention' | 'disk-budget' | 'damage';
}

/** A row of the loss ledger, as a record of the topic `gaps`. `nowMs` is the wall clock. */
export function gapRecord(
  { topic, partition, firstOffset, endOffset, reason }: Loss,
  nowMs: number,
): NewRecord {
  const time = new Date(nowMs).toISOString();
  const row = { topic, partition, firstOffset, lastOffset: endOffset - 1, reason, time };
  return {
    topic: gapsTopicName,
    key: Buffer.from(`${topic}-${partition}`),
    value: Buffer.from(JSON.stringify(row)),
    timestampMs: nowMs,
    headers: [],
  };
}
