import { nextSequence, type Producer, stampProducer } from '../cluster/outgoing-batch.ts';
import type { PartitionBatch } from '../cluster/target.ts';

/** The next sequence of each partition, by {@link sequenceKey}; one that is not named begins at 0. */
export type Sequences = ReadonlyMap<string, number>;

/** A partition as the key of {@link Sequences}. */
export const sequenceKey = ({ topic, partition }: Pick<PartitionBatch, 'topic' | 'partition'>): string =>
  `${topic}/${partition}`;

/**
 * Writes the producer into the batches, in place, and sequences that follow each other in each partition. Returns the
 * next ones, to be kept once every batch is taken; until then the same batches may be stamped again, with the same
 * result.
 */
export function stampBatches(
  batches: readonly PartitionBatch[],
  producer: Producer,
  sequences: Sequences,
): Sequences {
  const next = new Map(sequences);
  for (const one of batches) {
    const key = sequenceKey(one);
    const sequence = next.get(key) ?? 0;
    stampProducer(one.batch, producer, sequence);
    next.set(key, nextSequence(sequence, one.batch.recordCount));
  }
  return next;
}
