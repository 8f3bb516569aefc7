import type { ClockReading } from '../../core/clock.ts';
import { findPartition } from '../commits/placement.ts';
import type { LogState } from '../state/state.ts';
import type { Unsettled } from '../types.ts';

/** Which stamps will be corrected, by the state of the log as it is when somebody asks. */
export function unsettledStamps(
  state: () => LogState,
  readClock: (() => ClockReading) | undefined,
): Unsettled {
  const bootId = (): string => readClock?.().bootId ?? '';
  return {
    from: (topic, partition) =>
      state().clockEpochs.unsettledFrom(findPartition(state(), topic, partition).id, bootId()),
    sinceMs: () => state().clockEpochs.unsettled(bootId())[0]?.startedMs ?? null,
  };
}
