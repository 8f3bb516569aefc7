import { limits } from '../../core/limits.ts';
import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, timeInWords } from './words.ts';

const LAST = 0;
const USUAL = 1;
const SPREAD = 2;
const STEADY_RUN = 3;
const COUNT = 4;

/** A clock that is behind shows the same offset so often in a row; a backlog that is sent late does not. */
const steadyReadings = 5;

/** Beyond so many usual deviations, an offset has changed. */
const toleratedSpreads = 8;

/** The usual offset follows so many readings. */
const usualReadings = 128;
const countKnown = 16;

/**
 * Compares the device's clock with that of the record: a stamp from the future at once; an offset that has jumped, or is large
 * from the beginning, once it is steady. A backlog sent late is no skew: its offset shrinks from reading to reading.
 */
export const clockSkewRule: Rule = {
  size: { doubles: 5, floats: 0 },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe({ doubles }: SeriesState, at: StateSize, { reading }: Observed): Finding | null {
    if (reading.sourceTimeMs === null) return null;
    const begin = at.doubles;
    const offsetMs = reading.sourceTimeMs - reading.timeMs;
    const count = doubles[begin + COUNT] ?? 0;
    const usualMs = doubles[begin + USUAL] ?? 0;
    const spreadMs = doubles[begin + SPREAD] ?? 0;
    const toleranceMs = limits.clockOffsetMsMin + toleratedSpreads * spreadMs;
    const isSteady = count > 0 && Math.abs(offsetMs - (doubles[begin + LAST] ?? 0)) <= toleranceMs;
    const steadyRun = isSteady ? (doubles[begin + STEADY_RUN] ?? 0) + 1 : 0;
    doubles[begin + LAST] = offsetMs;
    doubles[begin + STEADY_RUN] = steadyRun;
    doubles[begin + COUNT] = count + 1;
    const share = 1 / Math.min(count + 1, usualReadings);
    const deviationMs = Math.abs(offsetMs - usualMs);
    const hasChanged = count >= countKnown && deviationMs > toleranceMs;
    doubles[begin + USUAL] = usualMs + share * (offsetMs - usualMs);
    // The deviation of a jump would widen what is tolerated until the jump is no longer one.
    if (!hasChanged && count > 0) doubles[begin + SPREAD] = spreadMs + share * (deviationMs - spreadMs);
    return judge(offsetMs, usualMs, hasChanged, steadyRun >= steadyReadings, count < countKnown);
  },
};

function judge(
  offsetMs: number,
  usualMs: number,
  hasChanged: boolean,
  isSteady: boolean,
  isWarmingUp: boolean,
): Finding | null {
  const isFuture = offsetMs > limits.clockAheadMsMax;
  const isBehind = offsetMs < -limits.clockBehindMsMax || (hasChanged && offsetMs < usualMs);
  if (!isFuture && !(isBehind && isSteady)) return null;
  const words = [`the device's clock is ${skewInWords(offsetMs)}`];
  if (hasChanged) words.push(`it was ${skewInWords(usualMs)} before`);
  return faultFinding('clock-skew', isFuture ? 400 : 300, words, { isWarmingUp });
}

function skewInWords(offsetMs: number): string {
  return `${timeInWords(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}
