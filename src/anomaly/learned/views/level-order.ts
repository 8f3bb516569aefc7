import type { SeriesState, StateSize } from '../../detection/series-state.ts';
import { centreOf, countOf, deviationOf, learnSpread, spreadDoubles } from './spread.ts';
import type { View } from './view.ts';

/** Counts of one byte. A power of two. */
const SLOTS = 1024;
const LAST_LEVEL = spreadDoubles;
const PAST_LEVELS = spreadDoubles + 1;

/** A level is so many deviations wide; the value must leave it by this share of its width before another level counts. */
const LEVEL_WIDTH = 3;
const HYSTERESIS = 0.25;
/** Levels from -8 to 8. */
const HIGHEST_LEVEL = 8;
const LEVELS = 2 * HIGHEST_LEVEL + 1;
const SPREAD_RATE = 0.001;
/** The longest context: so many past levels, kept as the digits of one number. */
const LONGEST_CONTEXT = 3;
const DIGIT = 32;
const FULL_COUNT = 255;
/** Before so many readings nobody knows how wide a level is. */
const READINGS_TO_BEGIN = 20;
/** One slot is aged by 1 each so many readings: what has not been seen for 65,536 readings becomes new again. */
const READINGS_PER_AGING = 64;

/**
 * How improbable a level is after the levels before it, in bits: counts of contexts of several lengths, the longer ones
 * falling back on the shorter (prediction by partial matching, Cleary and Witten 1984; method of escape as Witten and Bell
 * 1991), in a hashed table of small counters. Levels are in deviations about a running centre, with hysteresis, so
 * that a value at the edge of a level is no news.
 */
export const levelOrder: View = {
  name: 'level-order',
  size: { doubles: spreadDoubles + 2, floats: SLOTS / 4 },
  usualScore: 12,

  score(state, at, { value, isAfterGap }) {
    const { bytes, doubles } = state;
    if (isAfterGap || countOf(doubles, at.doubles) < READINGS_TO_BEGIN) return 0;
    const level = levelOf(doubles, at.doubles, value);
    const table = tableOf(state, at);
    let past = doubles[at.doubles + PAST_LEVELS] ?? 0;
    let context = 1;
    let probability = 1 / LEVELS;
    for (let order = 0; order <= LONGEST_CONTEXT; order++) {
      const total = bytes[table + slotOf(context)] ?? 0;
      const count = Math.min(total, bytes[table + slotOf(mixed(context, level))] ?? 0);
      probability = (count + probability) / (total + 1);
      context = mixed(context, DIGIT * (order + 1) + (past % DIGIT));
      past = Math.floor(past / DIGIT);
    }
    return -Math.log2(probability);
  },

  learn(state, at, { value, isAfterGap }) {
    const { bytes, doubles } = state;
    const count = countOf(doubles, at.doubles);
    if (count >= READINGS_TO_BEGIN) {
      const level = levelOf(doubles, at.doubles, value);
      if (isAfterGap) doubles[at.doubles + PAST_LEVELS] = 0;
      else countLevel(bytes, tableOf(state, at), doubles[at.doubles + PAST_LEVELS] ?? 0, level);
      const kept = (doubles[at.doubles + PAST_LEVELS] ?? 0) % DIGIT ** (LONGEST_CONTEXT - 1);
      doubles[at.doubles + PAST_LEVELS] = kept * DIGIT + level + HIGHEST_LEVEL + 1;
      doubles[at.doubles + LAST_LEVEL] = level;
    }
    if (count % READINGS_PER_AGING === 0) {
      const slot = tableOf(state, at) + slotOf(count / READINGS_PER_AGING);
      bytes[slot] = Math.max(0, (bytes[slot] ?? 0) - 1);
    }
    learnSpread(doubles, at.doubles, value, SPREAD_RATE);
  },

  words: () => 'an order of levels not seen before',
};

function tableOf({ doubles }: SeriesState, at: StateSize): number {
  return doubles.byteLength + at.floats * Float32Array.BYTES_PER_ELEMENT;
}

function countLevel(bytes: Uint8Array, table: number, pastLevels: number, level: number): void {
  let past = pastLevels;
  let context = 1;
  for (let order = 0; order <= LONGEST_CONTEXT; order++) {
    increment(bytes, table + slotOf(context));
    increment(bytes, table + slotOf(mixed(context, level)));
    context = mixed(context, DIGIT * (order + 1) + (past % DIGIT));
    past = Math.floor(past / DIGIT);
  }
}

function increment(bytes: Uint8Array, slot: number): void {
  bytes[slot] = Math.min(FULL_COUNT, (bytes[slot] ?? 0) + 1);
}

/** The last level if the value is in it or near it, else the one it is in. */
function levelOf(doubles: Float64Array, at: number, value: number): number {
  const distance = value - centreOf(doubles, at);
  const width = LEVEL_WIDTH * deviationOf(doubles, at);
  if (width === 0) return Math.sign(distance);
  const last = doubles[at + LAST_LEVEL] ?? 0;
  if (Math.abs(distance / width - last) <= 0.5 + HYSTERESIS) return last;
  return Math.max(-HIGHEST_LEVEL, Math.min(HIGHEST_LEVEL, Math.round(distance / width)));
}

/** A multiplicative hash (Knuth, volume 3, 6.4). */
function mixed(hash: number, value: number): number {
  const product = Math.imul(hash ^ (value + LEVELS), 0x9e3779b1);
  return product ^ (product >>> 15);
}

function slotOf(hash: number): number {
  return hash & (SLOTS - 1);
}
