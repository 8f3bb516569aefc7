import { limits } from '../../core/limits.ts';

/**
 * How much a transaction takes, bytes. One that takes too long fails when the link breaks and begins again, and one that is
 * too small waits more for answers than it sends (design §6). Grown and cut as TCP does its window (RFC 5681: slow start,
 * then by a constant; half after a loss), by how long transactions take.
 */
export interface FlushSize {
  readonly bytes: number;
  /** Multiplied up to here, then raised by a constant: the link broke with more. */
  readonly steadyBytes: number;
  readonly bytesMax: number;
}

/** Before anything is known of the link. */
export const firstFlushSize = (bytesMax: number): FlushSize => ({
  bytes: Math.min(limits.transactionBytesFirst, bytesMax),
  steadyBytes: bytesMax,
  bytesMax,
});

/** With another bound; what is known of the link stays. */
export function sizeWithin({ bytes, steadyBytes, bytesMax: before }: FlushSize, bytesMax: number): FlushSize {
  // It was multiplied up to the bound before, and did not break there.
  const steady = steadyBytes === before ? bytesMax : Math.min(steadyBytes, bytesMax);
  return { bytes: Math.min(bytes, bytesMax), steadyBytes: steady, bytesMax };
}

/** What a transaction takes at most on a link with this rate, undefined for none: what leaves in the time that is wanted. */
export const pacedBytesMax = (bytesPerSecond: number | undefined, bytesMax: number): number =>
  Math.min(bytesMax, ((bytesPerSecond ?? Number.POSITIVE_INFINITY) * limits.transactionMsWanted) / 1000);

/** After a transaction was committed; `wasFull`: it could not take all there was. */
export function sizeAfterCommit(size: FlushSize, elapsedMs: number, wasFull: boolean): FlushSize {
  const { bytes, steadyBytes, bytesMax } = size;
  if (elapsedMs > limits.transactionMsMax) {
    // It got through, so a sealed batch may go as it is.
    const cut = cutTo(Math.max(fitting(bytes, elapsedMs), limits.sealedBatchBytesMax), size);
    return { ...size, bytes: cut, steadyBytes: Math.min(steadyBytes, bytes) };
  }
  if (!wasFull || elapsedMs > limits.transactionMsWanted) return size;
  // To half of what takes as long as is wanted, so that one more step gets there.
  const room = limits.transactionMsWanted / (2 * elapsedMs);
  const growth = Math.min(Math.max(2, room), limits.transactionGrowthMax);
  const grown =
    bytes < steadyBytes
      ? Math.min(Math.floor(bytes * growth), steadyBytes)
      : Math.min(bytes * 2, bytes + limits.transactionBytesStep);
  return { ...size, bytes: Math.min(grown, bytesMax) };
}

/**
 * After the link broke while a transaction was under way, or one failed that had taken long: `elapsedMs` is less than all of
 * it would have taken.
 */
export function sizeAfterBreak(size: FlushSize, elapsedMs: number): FlushSize {
  const halved = Math.floor(size.bytes / 2);
  const isSlow = elapsedMs > limits.transactionMsMax;
  const bytes = cutTo(isSlow ? fitting(size.bytes, elapsedMs) : halved, size);
  return { ...size, bytes, steadyBytes: cutTo(halved, size) };
}

/** How much a batch of it may take: what is sealed goes as it is, unless the link has proved too slow for that. */
export const batchBytesMaxOf = ({ bytes }: FlushSize): number =>
  bytes < limits.sealedBatchBytesMax
    ? Math.max(bytes, limits.transactionBytesMin)
    : limits.forwardBatchBytesMax;

/** What takes as long as is wanted, if so many bytes take so long. */
const fitting = (bytes: number, elapsedMs: number): number =>
  Math.floor((bytes * limits.transactionMsWanted) / elapsedMs);

const cutTo = (bytes: number, { bytes: before }: FlushSize): number =>
  Math.min(before, Math.max(bytes, limits.transactionBytesMin));
