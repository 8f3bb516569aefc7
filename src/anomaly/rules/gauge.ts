import type { SeriesState } from '../detection/series-state.ts';
import type { Observed } from './rule.ts';

const CURRENT = 0;
const BEFORE = 1;
const RECORD = 2;
const ACTIVE = 3;
const BLOCKS = 4;
const RAISES = 5;

/** Numbers of a gauge in the doubles of a state. */
export const gaugeDoubles = 6;

/** Each time a gauge has spoken adds to its margin, as long as it is remembered: so a series that is like that falls silent. */
const raiseMargin = 0.25;

/** A gauge that has spoken is quiet again below this share of what it spoke at. */
const release = 0.7;

/** A record that a fault has broken moves only so far towards it, so that the next one of that size is found as well. */
const faultShare = 0.25;

/** With b blocks seen, what was highest so far is expected to be surpassed by chance: by so much, divided by b. */
const youthMargin = 10;

const blocksKnown = 2;

/**
 * Whether a score, 0 or more, is beyond all that the series has shown. What counts is the record of past blocks (block maxima
 * as in extreme value theory: Gumbel 1958), faded by time, times a margin that shrinks while history grows. A block is
 * taken in only when the next one has ended: so a slow fault does not raise its own record.
 */
export function gaugeIsExceeded(
  { doubles }: SeriesState,
  begin: number,
  score: number,
  margin: number,
  floor: number,
  observed: Observed,
): boolean {
  const record = (doubles[begin + RECORD] ?? 0) * observed.fade;
  const blocks = doubles[begin + BLOCKS] ?? 0;
  const wasActive = (doubles[begin + ACTIVE] ?? 0) !== 0;
  const raises = (doubles[begin + RAISES] ?? 0) * observed.fade * observed.fade;
  const youth = youthMargin / Math.max(blocks, 1);
  const excess = (margin - 1 + youth + raiseMargin * raises) * observed.caution;
  const threshold = Math.max(record * (1 + excess), floor);
  const isActive =
    blocks >= blocksKnown && record > 0 && score > (wasActive ? release * threshold : threshold);
  doubles[begin + RAISES] = isActive && !wasActive ? raises + 1 : raises;
  doubles[begin + ACTIVE] = isActive ? 1 : 0;
  doubles[begin + RECORD] = record;
  if (wasActive && !isActive) {
    // The fault is over: what it reached is learned at once, in case the series is like that.
    const peak = Math.max(doubles[begin + CURRENT] ?? 0, doubles[begin + BEFORE] ?? 0);
    doubles[begin + RECORD] = record + faultShare * Math.max(peak - record, 0);
    doubles[begin + CURRENT] = score;
    doubles[begin + BEFORE] = score;
  }
  doubles[begin + CURRENT] = Math.max(doubles[begin + CURRENT] ?? 0, score);
  if (observed.endsBlock) endBlock(doubles, begin, score, threshold);
  return isActive;
}

function endBlock(doubles: Float64Array, begin: number, score: number, threshold: number): void {
  const record = doubles[begin + RECORD] ?? 0;
  const before = doubles[begin + BEFORE] ?? 0;
  const blocks = doubles[begin + BLOCKS] ?? 0;
  const share = blocks >= blocksKnown && before > threshold ? faultShare : 1;
  doubles[begin + RECORD] = record + share * Math.max(before - record, 0);
  doubles[begin + BEFORE] = doubles[begin + CURRENT] ?? 0;
  doubles[begin + CURRENT] = score;
  doubles[begin + BLOCKS] = blocks + 1;
}

/** The record that a score has to break. */
export function gaugeRecord({ doubles }: SeriesState, begin: number): number {
  return doubles[begin + RECORD] ?? 0;
}
