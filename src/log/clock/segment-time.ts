import type { Segment } from '../state/catalog.ts';
import type { Partition } from '../state/state.ts';
import type { ClockEpochs } from './clock-epochs.ts';

/**
 * When the newest record of a segment was received, milliseconds since 1970 UTC, as far as is known: corrected by what its clock was off. If
 * that is not known, no later than this: when the clock was set next, or infinity.
 */
export function newestMs(
  epochs: ClockEpochs,
  { id }: Partition,
  { maxTimestampMs, endOffset }: Segment,
): number {
  const epoch = epochs.at(id, endOffset - 1);
  if (epoch === undefined) return maxTimestampMs;
  if (epoch.shiftMs !== null) return maxTimestampMs + epoch.shiftMs;
  const next = epochs.all().find(({ ordinal, isSet }) => isSet && ordinal > epoch.ordinal);
  return next === undefined ? Number.POSITIVE_INFINITY : next.settingMs + next.startedMs;
}
