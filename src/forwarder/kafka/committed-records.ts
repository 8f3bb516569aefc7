import type { FetchedPartition } from './kafka-answers.ts';

/**
 * Enters the committed records of an answer into `values`, newest value of each key with one of the prefixes; a record
 * without value removes its key. A read_committed answer still holds aborted records and transaction markers: the
 * client has to leave them out (KIP-98).
 */
export function collectCommitted(
  values: Map<string, Uint8Array>,
  fetched: Pick<FetchedPartition, 'abortedTransactions' | 'batches'>,
  keyPrefixes: readonly string[],
): void {
  const aborted = [...fetched.abortedTransactions].sort((a, b) => a.firstOffset - b.firstOffset);
  const abortedNow = new Set<bigint>();
  for (const batch of fetched.batches) {
    while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.lastOffset) {
      abortedNow.add(aborted[0].producerId);
      aborted.shift();
    }
    // Any marker ends the producer's transaction, and a commit marker never follows in an aborted one.
    if (batch.isControl) abortedNow.delete(batch.producerId);
    else if (!(batch.isTransactional && abortedNow.has(batch.producerId)))
      enter(values, batch.records, keyPrefixes);
  }
}

function enter(
  values: Map<string, Uint8Array>,
  records: FetchedPartition['batches'][number]['records'],
  keyPrefixes: readonly string[],
): void {
  for (const { key, value } of records) {
    const name = key === null ? '' : Buffer.from(key).toString('utf8');
    if (!keyPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (value === null) values.delete(name);
    // A copy: the original is a view that would keep the whole answer in memory.
    else values.set(name, Uint8Array.from(value));
  }
}
