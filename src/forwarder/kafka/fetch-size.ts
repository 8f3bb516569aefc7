import { limits } from '../../core/limits.ts';

/**
 * How much the next Fetch of checkpoints asks for, bytes: what the link carries in `limits.checkpointFetchMsWanted`, because an
 * answer that is not there in time ends the session. The last one asked for `askedBytes`, and `bytes` came after `elapsedMs`. It
 * grows step by step, and only after answers that were about full: Kafka ends one with its segment, and a small one says nothing.
 */
export function nextFetchBytes(askedBytes: number, bytes: number, elapsedMs: number): number {
  const fitting = Math.floor((bytes * limits.checkpointFetchMsWanted) / Math.max(1, elapsedMs));
  const isFull = bytes * 2 >= askedBytes;
  const grown = isFull ? Math.min(fitting, askedBytes * limits.checkpointFetchGrowthMax) : askedBytes;
  const wanted = elapsedMs > limits.checkpointFetchMsWanted ? Math.min(fitting, askedBytes) : grown;
  return Math.min(limits.checkpointFetchBytesMax, Math.max(limits.checkpointFetchBytesMin, wanted));
}
