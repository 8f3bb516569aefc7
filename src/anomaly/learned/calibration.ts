import { limits } from '../../core/limits.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';

/** Maxima kept of each view. Even: when all are taken, they are joined in pairs. */
const BLOCKS = 40;
const FIRST_BLOCK_READINGS = 50;
/** The reference is the maximum that this share of the blocks does not exceed: a few with anomalies do not raise it. */
const QUANTILE = 0.9;

const BLOCK_READINGS = 0;
const IN_BLOCK = 1;
const FILLED = 2;
const NEXT = 3;
const SINCE = 4;

const BLOCK_MAXIMUM = 0;
const REFERENCE = 1;
const MAXIMA = 2;
const FLOATS_PER_VIEW = MAXIMA + BLOCKS;

/** How often a score is reached. */
export interface Rarity {
  /** How many blocks reached it. */
  readonly reached: number;
  /** How long all blocks lasted together. */
  readonly spanMs: number;
}

/** What the calibration of so many views takes of a state. */
export function calibrationSize(views: number): StateSize {
  return { doubles: 5, floats: views * FLOATS_PER_VIEW };
}

/**
 * The score of a view that is rarely exceeded in this series: a high quantile of its maxima in blocks of readings, whose
 * distribution hardly depends on that of the readings (block maxima, Gumbel 1958). 0 if nothing is known yet.
 */
export function referenceScore({ floats }: SeriesState, at: StateSize, view: number): number {
  return floats[at.floats + view * FLOATS_PER_VIEW + REFERENCE] ?? 0;
}

/** How rare a score of a view is in this series. */
export function rarityOf(
  state: SeriesState,
  at: StateSize,
  view: number,
  score: number,
  timeMs: number,
): Rarity {
  const { doubles, floats } = state;
  const blocks = doubles[at.doubles + FILLED] ?? 0;
  const maxima = at.floats + view * FLOATS_PER_VIEW + MAXIMA;
  let reached = 0;
  for (let k = 0; k < blocks; k++) if ((floats[maxima + k] ?? 0) >= score) reached++;
  return { reached, spanMs: timeMs - (doubles[at.doubles + SINCE] ?? timeMs) };
}

/** Takes in a reading's scores of all views. */
export function learnScores(state: SeriesState, at: StateSize, timeMs: number, scores: Float64Array): void {
  const { doubles, floats } = state;
  const offset = at.doubles;
  if (doubles[offset + BLOCK_READINGS] === 0) {
    doubles[offset + BLOCK_READINGS] = FIRST_BLOCK_READINGS;
    doubles[offset + SINCE] = timeMs;
  }
  for (let view = 0; view < scores.length; view++) {
    const maximum = at.floats + view * FLOATS_PER_VIEW + BLOCK_MAXIMUM;
    floats[maximum] = Math.max(floats[maximum] ?? 0, scores[view] ?? 0);
  }
  doubles[offset + IN_BLOCK] = (doubles[offset + IN_BLOCK] ?? 0) + 1;
  if (doubles[offset + IN_BLOCK] === doubles[offset + BLOCK_READINGS])
    endBlocks(state, at, timeMs, scores.length);
}

function endBlocks({ doubles, floats }: SeriesState, at: StateSize, timeMs: number, views: number): void {
  const offset = at.doubles;
  const next = doubles[offset + NEXT] ?? 0;
  // The clock of a series may have been set back.
  const since = Math.min(timeMs, doubles[offset + SINCE] ?? 0);
  const isReplaced = doubles[offset + FILLED] === BLOCKS;
  const filled = isReplaced ? BLOCKS : next + 1;
  doubles[offset + SINCE] = isReplaced ? since + (timeMs - since) / BLOCKS : since;
  doubles[offset + IN_BLOCK] = 0;
  doubles[offset + NEXT] = (next + 1) % BLOCKS;
  doubles[offset + FILLED] = filled;
  for (let view = 0; view < views; view++) endBlock(floats, at.floats + view * FLOATS_PER_VIEW, next, filled);
  if (next + 1 === BLOCKS && timeMs - since < limits.unusualMemoryMs) joinBlocks(doubles, floats, at, views);
}

const sorted = new Float64Array(BLOCKS);

function endBlock(floats: Float32Array, view: number, next: number, filled: number): void {
  floats[view + MAXIMA + next] = floats[view + BLOCK_MAXIMUM] ?? 0;
  floats[view + BLOCK_MAXIMUM] = 0;
  sorted.fill(Number.MAX_VALUE);
  for (let k = 0; k < filled; k++) sorted[k] = floats[view + MAXIMA + k] ?? 0;
  sorted.sort();
  floats[view + REFERENCE] = sorted[Math.floor(QUANTILE * filled)] ?? 0;
}

/** Two blocks become one, so that the same room holds twice the time. */
function joinBlocks(doubles: Float64Array, floats: Float32Array, at: StateSize, views: number): void {
  for (let view = 0; view < views; view++) {
    const maxima = at.floats + view * FLOATS_PER_VIEW + MAXIMA;
    for (let k = 0; k < BLOCKS / 2; k++) {
      floats[maxima + k] = Math.max(floats[maxima + 2 * k] ?? 0, floats[maxima + 2 * k + 1] ?? 0);
    }
  }
  doubles[at.doubles + BLOCK_READINGS] = 2 * (doubles[at.doubles + BLOCK_READINGS] ?? 0);
  doubles[at.doubles + FILLED] = BLOCKS / 2;
  doubles[at.doubles + NEXT] = BLOCKS / 2;
}
