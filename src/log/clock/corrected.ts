import { shiftedBatch } from '../encoding/batch.ts';
import type { PartitionId } from '../state/entries.ts';
import type { StoredBatch } from '../types.ts';
import type { ClockEpochs } from './clock-epochs.ts';

/**
 * Batches of a partition with their stamps moved by what the clock was off, where that is known by now: copies of these, the
 * same list if there is nothing to move. A batch holds records of one clock epoch.
 */
export function corrected(
  epochs: ClockEpochs,
  id: PartitionId,
  batches: readonly StoredBatch[],
): readonly StoredBatch[] {
  const shifts = batches.map(({ baseOffset }) => epochs.at(id, baseOffset)?.shiftMs ?? 0);
  if (shifts.every((shiftMs) => shiftMs === 0)) return batches;
  return batches.map((batch, index) => {
    const shiftMs = shifts[index] ?? 0;
    if (shiftMs === 0) return batch;
    const maxTimestampMs = batch.maxTimestampMs + shiftMs;
    return { ...batch, maxTimestampMs, bytes: shiftedBatch(batch.bytes, shiftMs) };
  });
}
