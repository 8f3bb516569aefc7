import { limits } from '../core/limits.ts';

/**
 * How much a transaction takes, bytes. One that takes too long fails when the link breaks and begins again, and one that is
 * too small waits more for answers than it sends (design §6). Grown and cut as TCP does its window (RFC 5681: slow start,
 * then by a constant; half after a loss), by how long transactions take.
 */
export interface FlushSize {
  readonly bytes: number;
  /** Doubled up to here, then raised by a constant: the link broke with more. */
  readonly steadyBytes: number;
  readonly bytesMax: number;
}

/** Before anything is known of the link. */
export const firstFlushSize = (bytesMax: number): FlushSize => ({
  bytes: Math.min(limits.transactionBytesFirst, bytesMax),
  steadyBytes: bytesMax,
  bytesMax,
});

/** After a transaction was committed; `wasFull`: it could not take all there was. */
export function sizeAfterCommit(size: FlushSize, elapsedMs: number, wasFull: boolean): FlushSize {
  const { bytes, steadyBytes, bytesMax } = size;
  if (elapsedMs > limits.transactionMsMax) {
    const fitting = Math.floor((bytes * limits.transactionMsWanted) / elapsedMs);
    return { ...size, bytes: atLeast(fitting, size), steadyBytes: Math.min(steadyBytes, bytes) };
  }
  if (!wasFull || elapsedMs > limits.transactionMsWanted) return size;
  const isSteady = bytes >= steadyBytes;
  const grown = isSteady ? bytes + limits.transactionBytesMin : Math.min(bytes * 2, steadyBytes);
  return { ...size, bytes: Math.min(grown, bytesMax) };
}

/** After the link broke while a transaction was under way. */
export function sizeAfterBreak(size: FlushSize): FlushSize {
  const halved = atLeast(Math.floor(size.bytes / 2), size);
  return { ...size, bytes: halved, steadyBytes: halved };
}

const atLeast = (bytes: number, { bytes: before }: FlushSize): number =>
  Math.min(before, Math.max(bytes, limits.transactionBytesMin));
