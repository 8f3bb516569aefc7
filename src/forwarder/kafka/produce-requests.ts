import { limits } from '../../core/limits.ts';
import type { PartitionBatch } from '../cluster/target.ts';
import { sequenceKey } from './sequences.ts';

/** What one Produce request carries: at most one batch for each partition, as Kafka demands. */
export type ProduceRequest = readonly PartitionBatch[];

/** The first batches of all partitions, then the second ones, and so on. */
export function roundsOf(batches: readonly PartitionBatch[]): readonly (readonly PartitionBatch[])[] {
  const rounds: PartitionBatch[][] = [];
  const counts = new Map<string, number>();
  for (const one of batches) {
    const round = counts.get(sequenceKey(one)) ?? 0;
    counts.set(sequenceKey(one), round + 1);
    const sameRound = rounds[round] ?? [];
    sameRound.push(one);
    rounds[round] = sameRound;
  }
  return rounds;
}

/** The rounds as requests of about so many bytes at most, in their order; a batch may be larger. */
export function requestsOf(
  rounds: readonly (readonly PartitionBatch[])[],
  bytesMax: number,
): readonly ProduceRequest[] {
  const requests: PartitionBatch[][] = [];
  for (const round of rounds) {
    let bytesLeft = 0;
    for (const one of round) {
      const size = one.batch.bytes.length;
      if (size > bytesLeft || one === round[0]) {
        requests.push([]);
        bytesLeft = bytesMax;
      }
      requests.at(-1)?.push(one);
      bytesLeft -= size;
    }
  }
  return requests;
}

/**
 * Sends the requests in their order, some of them at a time without waiting for answers, as long as `mayGoOn`.
 * Resolves or rejects only when nothing is under way any more, because an abort must not overtake a Produce.
 * @throws what `send` rejected with first
 */
export async function sendInOrder<Answer>(
  requests: readonly ProduceRequest[],
  send: (request: ProduceRequest) => Promise<Answer>,
  mayGoOn: () => boolean,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const waiting = requests.values();
  let isLost = false;
  const sendNext = async (): Promise<void> => {
    while (!isLost && mayGoOn()) {
      const { value: request } = waiting.next();
      if (request === undefined) return;
      try {
        answers.push(await send(request));
      } catch (error) {
        isLost = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: limits.produceRequestsMax }, sendNext));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return answers;
}
