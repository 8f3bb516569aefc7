import { limits } from '../../core/limits.ts';
import type { Reading, Sensitivity, SeriesHints } from '../detection/reading.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed } from './rule.ts';

const COUNT = 0;
const FIRST_TIME = 1;
const NEWEST_TIME = 2;
const VALUE = 3;
const INTERVAL = 4;
const RISES = 5;
const FALLS = 6;
const QUANTUM = 7;

/** Readings of a block. The faults that matter begin within one, so that they are not compared with themselves. */
const blockReadings = 64;

/** The usual interval follows so many readings, and no single one moves it by more than its own length: so gaps count little. */
const intervalReadings = 64;

/** A series is a counter once it has risen so often, and it has fallen no more than once in so many rises. */
const counterRises = 24;
const risesPerFall = 20;

/** A counter that falls below this share of what it had begins anew; others that fall are no counters. */
const resetShare = 0.5;

/** Rises and falls are halved at so many, so that a series may change its nature. */
const rememberedRises = 2000;

const cautions: Readonly<Record<Sensitivity, number>> = { low: 1.5, normal: 1, high: 0.75 };

/** What the rules share about a series: its last measurement, how often it is measured, and whether it counts. */
export const seriesProfile = {
  size: { doubles: 8, floats: 0 } satisfies StateSize,

  /** Writes into `observed` how the reading relates to the measurements before it. */
  compare(state: SeriesState, at: StateSize, reading: Reading, hints: SeriesHints, observed: Observed): void {
    const { doubles } = state;
    const begin = at.doubles;
    const count = doubles[begin + COUNT] ?? 0;
    const previous = doubles[begin + VALUE] ?? 0;
    const elapsedMs = count === 0 ? 0 : reading.timeMs - (doubles[begin + NEWEST_TIME] ?? 0);
    const rises = doubles[begin + RISES] ?? 0;
    observed.reading = reading;
    observed.hints = hints;
    observed.count = count;
    observed.previous = previous;
    observed.step = count === 0 ? 0 : reading.value - previous;
    observed.elapsedMs = elapsedMs;
    const ageMs = count === 0 ? 0 : reading.timeMs - (doubles[begin + FIRST_TIME] ?? 0);
    observed.ageMs = ageMs;
    observed.isNew = ageMs < limits.dayKnownMs;
    observed.newQuantum = observed.isNew ? (doubles[begin + QUANTUM] ?? 0) : 0;
    observed.intervalMs = hints.intervalMs ?? doubles[begin + INTERVAL] ?? 0;
    observed.fade = 1 - Math.min(Math.max(elapsedMs, 0) / limits.seriesMemoryMs, 0.5);
    observed.isCounter = rises >= counterRises && rises >= risesPerFall * (doubles[begin + FALLS] ?? 0);
    observed.isReset =
      observed.isCounter && observed.step < 0 && reading.value >= 0 && reading.value <= resetShare * previous;
    observed.endsBlock = (count + 1) % blockReadings === 0;
    observed.caution = cautions[hints.sensitivity];
  },

  /** Takes in a measurement that was compared. */
  learn(state: SeriesState, at: StateSize, observed: Observed): void {
    const { doubles } = state;
    const begin = at.doubles;
    const { count, elapsedMs, reading, step } = observed;
    if (count === 0) doubles[begin + FIRST_TIME] = reading.timeMs;
    const intervalMs = doubles[begin + INTERVAL] ?? 0;
    if (elapsedMs > 0) {
      const share = 1 / Math.min(count, intervalReadings);
      const surplus = Math.min(elapsedMs - intervalMs, intervalMs);
      doubles[begin + INTERVAL] = intervalMs === 0 ? elapsedMs : intervalMs + share * surplus;
    }
    const quantum = doubles[begin + QUANTUM] ?? 0;
    if (step !== 0)
      doubles[begin + QUANTUM] = quantum === 0 ? Math.abs(step) : Math.min(quantum, Math.abs(step));
    if (step > 0) doubles[begin + RISES] = (doubles[begin + RISES] ?? 0) + 1;
    if (step < 0 && !observed.isReset) doubles[begin + FALLS] = (doubles[begin + FALLS] ?? 0) + 1;
    if ((doubles[begin + RISES] ?? 0) > rememberedRises) {
      doubles[begin + RISES] = (doubles[begin + RISES] ?? 0) / 2;
      doubles[begin + FALLS] = (doubles[begin + FALLS] ?? 0) / 2;
    }
    doubles[begin + COUNT] = count + 1;
    doubles[begin + NEWEST_TIME] = reading.timeMs;
    doubles[begin + VALUE] = reading.value;
  },
};
