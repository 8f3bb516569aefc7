import type { BatchSource, Objection, PartitionBatch, RefusedBatch } from '../cluster/target.ts';
import type { RefusedBatchCode } from './kafka-answers.ts';
import { kafkaErrorName, kafkaFailure, kafkaVerdict } from './kafka-failure.ts';

/** A batch that a broker did not take, and what it answered. */
export interface Refused {
  readonly sent: PartitionBatch;
  readonly answer: RefusedBatchCode;
}

/** What the codes say against single topics, partitions and batches; nothing about checkpoints, and nothing that only follows from another refusal. */
export function objectionsOf(call: 'begin' | 'produce', refused: readonly Refused[]): readonly Objection[] {
  return refused.flatMap(({ sent, answer }): readonly Objection[] => {
    const verdict = kafkaVerdict(answer.code);
    if (sent.source === null || verdict === undefined) return [];
    const { topic, partition } = sent.source;
    const { message } = kafkaFailure(call, answer.code, `${answer.topic}-${answer.partition}`);
    if (verdict === null) return [{ topic, partition: null, message }];
    const batch = verdict === 'unwell' ? null : refusedBatch(sent, sent.source, answer);
    return [{ topic, partition, verdict, cause: kafkaErrorName(answer.code), batch, message }];
  });
}

function refusedBatch(
  { batch: { recordCount } }: PartitionBatch,
  { fromOffset, nextOffset, offsets }: BatchSource,
  { badRecords }: RefusedBatchCode,
): RefusedBatch {
  const isDense = nextOffset - fromOffset === recordCount;
  const badOffsets = badRecords.flatMap((index) => {
    if (index < 0 || index >= recordCount) return [];
    // With offsets missing in between and nobody who has looked, the third record may be any.
    return isDense ? [fromOffset + index] : (offsets?.slice(index, index + 1) ?? []);
  });
  return { fromOffset, nextOffset, recordCount, badOffsets };
}
