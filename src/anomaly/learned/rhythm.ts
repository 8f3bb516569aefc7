import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Sight } from './views/view.ts';

const LAST_TIME = 0;
const INTERVAL = 1;
const COUNT = 2;
const ORIGIN = 3;
const FIRST_TIME = 4;

/** When readings come, and from where values are counted. */
export const rhythmSize: StateSize = { doubles: 5, floats: 0 };

/** A pause of so many usual intervals is a gap. */
const INTERVALS_OF_GAP = 20;
const INTERVAL_RATE = 0.02;
/** Further from the first value nothing is told apart: so squares and 4-byte numbers stay finite. */
const FURTHEST = 1e30;

/** A sight that can be filled anew for each reading. */
export type MutableSight = { -readonly [K in keyof Sight]: Sight[K] };

/** Fills in how the views see a reading. */
export function takeSight(
  state: SeriesState,
  at: StateSize,
  timeMs: number,
  value: number,
  sight: MutableSight,
): void {
  const { doubles } = state;
  const isFirst = readingsSeen(state, at) === 0;
  const interval = doubles[at.doubles + INTERVAL] ?? 0;
  const distance = value - (isFirst ? value : (doubles[at.doubles + ORIGIN] ?? 0));
  sight.timeMs = timeMs;
  sight.value = Math.max(-FURTHEST, Math.min(FURTHEST, distance));
  sight.elapsedMs = isFirst ? 0 : Math.max(0, timeMs - (doubles[at.doubles + LAST_TIME] ?? 0));
  sight.isAfterGap = interval > 0 && sight.elapsedMs > INTERVALS_OF_GAP * interval;
}

/** Learns from a reading as it was seen. A gap counts as one of the shortest gaps, so bursts do not pass for the usual. */
export function learnRhythm({ doubles }: SeriesState, at: StateSize, value: number, sight: Sight): void {
  const offset = at.doubles;
  const count = doubles[offset + COUNT] ?? 0;
  if (count === 0) {
    doubles[offset + ORIGIN] = value;
    doubles[offset + FIRST_TIME] = sight.timeMs;
  } else {
    const interval = doubles[offset + INTERVAL] ?? 0;
    const limit = interval > 0 ? INTERVALS_OF_GAP * interval : Number.MAX_VALUE;
    const rate = Math.max(INTERVAL_RATE, 1 / count);
    doubles[offset + INTERVAL] = interval + rate * (Math.min(limit, sight.elapsedMs) - interval);
  }
  doubles[offset + LAST_TIME] = sight.timeMs;
  doubles[offset + COUNT] = count + 1;
}

/** How many readings have been learned. */
export function readingsSeen({ doubles }: SeriesState, at: StateSize): number {
  return doubles[at.doubles + COUNT] ?? 0;
}

/** For how long the series has been known at a time. */
export function knownForMs({ doubles }: SeriesState, at: StateSize, timeMs: number): number {
  return timeMs - (doubles[at.doubles + FIRST_TIME] ?? 0);
}

/** The value from which the views count. */
export function originOf({ doubles }: SeriesState, at: StateSize): number {
  return doubles[at.doubles + ORIGIN] ?? 0;
}
