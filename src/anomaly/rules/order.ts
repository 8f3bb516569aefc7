import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords, timeInWords } from './words.ts';

const LATE_TIME = 0;
const LATE_RUN = 1;
const SOURCE_TIME = 2;
const SAME_TIME = 3;

/** So many late readings in order among themselves, and time itself was set back. */
const believedRun = 4;

/** A series that has had so many values at the time of the one before is too fast for its clock: equal ones are no copies. */
const tooFast = 3;

/**
 * Readings that come twice (same time, same value) or late (an older time than the one before). A clock that was set back is
 * told by a few late readings; then its time is believed.
 */
export const orderRule: Rule = {
  size: { doubles: 4, floats: 0 },
  consequence: 'no-measurement',
  silencedBy: [],

  reset(state: SeriesState, at: StateSize): void {
    state.doubles[at.doubles + SOURCE_TIME] = Number.NEGATIVE_INFINITY;
  },

  observe({ doubles }: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const begin = at.doubles;
    const { reading, count, elapsedMs, step } = observed;
    const sourceMs = doubles[begin + SOURCE_TIME] ?? 0;
    const sourceElapsedMs = reading.sourceTimeMs === null ? 0 : reading.sourceTimeMs - sourceMs;
    const isSameSource = reading.sourceTimeMs === null || sourceElapsedMs === 0;
    if (count > 0 && elapsedMs === 0 && isSameSource) {
      const sameTime = doubles[begin + SAME_TIME] ?? 0;
      if (step === 0 && sameTime < tooFast) {
        return faultFinding('duplicate', 100, [`${inWords(reading.value)} came again with the same time`]);
      }
      if (step !== 0) doubles[begin + SAME_TIME] = sameTime + 1;
    }
    const isLate = count > 0 && (elapsedMs < 0 || sourceElapsedMs < 0);
    if (!isLate) {
      doubles[begin + LATE_RUN] = 0;
      if (reading.sourceTimeMs !== null) doubles[begin + SOURCE_TIME] = reading.sourceTimeMs;
      return null;
    }
    const timeMs = elapsedMs < 0 ? reading.timeMs : (reading.sourceTimeMs ?? reading.timeMs);
    const run = timeMs >= (doubles[begin + LATE_TIME] ?? 0) ? (doubles[begin + LATE_RUN] ?? 0) + 1 : 1;
    doubles[begin + LATE_TIME] = timeMs;
    doubles[begin + LATE_RUN] = run;
    if (run >= believedRun) {
      doubles[begin + LATE_RUN] = 0;
      if (reading.sourceTimeMs !== null) doubles[begin + SOURCE_TIME] = reading.sourceTimeMs;
      return null;
    }
    const lateMs = elapsedMs < 0 ? -elapsedMs : -sourceElapsedMs;
    return faultFinding('out-of-order', 200, [`its time is ${timeInWords(lateMs)} before the last`]);
  },
};
