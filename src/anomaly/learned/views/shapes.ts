import type { SeriesState, StateSize } from '../../detection/series-state.ts';
import type { View } from './view.ts';

/** The value itself and means over the last readings, ever longer ones: a window in several resolutions. */
const MEAN_RATES = [1 / 3, 1 / 9, 1 / 27];
const FEATURES = 1 + MEAN_RATES.length;
const PROTOTYPES = 64;
/** The features, and how often the prototype was met. */
const PROTOTYPE_FLOATS = FEATURES + 1;

const COUNT = 0;
const KNOWN = 1;
const LOW = 2;
const HIGH = 3;
const LAST_MET = 4;
const MEANS = 5;

/** The range of the values so far is widened by so much, so that it grows in fewer steps. */
const RANGE_WIDENING = 1.2;
/** Shares of the range: what is so near to a prototype is nothing new; what is further than the second becomes a prototype. */
const DEAD_ZONE = 0.03;
const VIGILANCE = 0.06;
const LEARN_RATE = 0.05;
const MOST_MET = 1000;
const MET_FADING = 0.99;
const READINGS_TO_BEGIN = 32;
const LARGEST_NOVELTY = 10;

/** The shape that is looked at; filled anew by each call. */
const shape = new Float64Array(FEATURES);

/**
 * How far the recent course is from all courses known, as a share of the range of the series: leader clustering
 * (Hartigan 1975) with a vigilance, as in adaptive resonance (Carpenter and Grossberg 1991), into a bounded number of
 * prototypes. They are in units of the value, so nothing changes about them when the range grows.
 */
export const shapes: View = {
  name: 'shapes',
  size: { doubles: MEANS + MEAN_RATES.length, floats: PROTOTYPES * PROTOTYPE_FLOATS },
  usualScore: 0.02,

  score(state, at, { value, isAfterGap }) {
    const { doubles } = state;
    const range = rangeOf(doubles, at.doubles);
    if (isAfterGap || (doubles[at.doubles + COUNT] ?? 0) <= READINGS_TO_BEGIN) return 0;
    if (range === 0) return value === doubles[at.doubles + LOW] ? 0 : LARGEST_NOVELTY;
    takeShape(doubles, at.doubles, value);
    const nearest = nearestPrototype(state, at);
    const distance = distanceTo(state, prototypeAt(at, nearest), Number.MAX_VALUE);
    return Math.min(LARGEST_NOVELTY, Math.max(0, distance / range - DEAD_ZONE));
  },

  learn(state, at, { value, isAfterGap }) {
    const { doubles } = state;
    const offset = at.doubles;
    const count = doubles[offset + COUNT] ?? 0;
    doubles[offset + LOW] = count === 0 ? value : Math.min(doubles[offset + LOW] ?? 0, value);
    doubles[offset + HIGH] = count === 0 ? value : Math.max(doubles[offset + HIGH] ?? 0, value);
    if (isAfterGap) for (let k = 0; k < MEAN_RATES.length; k++) doubles[offset + MEANS + k] = value;
    if (count >= READINGS_TO_BEGIN) {
      takeShape(doubles, offset, value);
      learnShape(state, at);
    }
    doubles[offset + COUNT] = count + 1;
    for (let k = 0; k < MEAN_RATES.length; k++) {
      const mean = doubles[offset + MEANS + k] ?? 0;
      doubles[offset + MEANS + k] = mean + Math.max(MEAN_RATES[k] ?? 0, 1 / (count + 1)) * (value - mean);
    }
  },

  words: () => 'a shape not seen before',
};

function rangeOf(doubles: Float64Array, at: number): number {
  return RANGE_WIDENING * ((doubles[at + HIGH] ?? 0) - (doubles[at + LOW] ?? 0));
}

function takeShape(doubles: Float64Array, at: number, value: number): void {
  shape[0] = value;
  for (let k = 0; k < MEAN_RATES.length; k++) shape[k + 1] = doubles[at + MEANS + k] ?? 0;
}

function prototypeAt(at: StateSize, prototype: number): number {
  return at.floats + prototype * PROTOTYPE_FLOATS;
}

/** The mean distance of the features; any number above `enough`, if it is larger than that. */
function distanceTo({ floats }: SeriesState, prototype: number, enough: number): number {
  let sum = 0;
  const sumEnough = enough * FEATURES;
  for (let k = 0; k < FEATURES && sum <= sumEnough; k++) {
    sum += Math.abs((shape[k] ?? 0) - (floats[prototype + k] ?? 0));
  }
  return sum / FEATURES;
}

/** Begins with the one met last, because it is likely the nearest: then the others are given up after a feature or two. */
function nearestPrototype(state: SeriesState, at: StateSize): number {
  const known = state.doubles[at.doubles + KNOWN] ?? 0;
  let nearest = state.doubles[at.doubles + LAST_MET] ?? 0;
  let least = distanceTo(state, prototypeAt(at, nearest), Number.MAX_VALUE);
  const value = shape[0] ?? 0;
  for (let prototype = 0; prototype < known; prototype++) {
    // Most are too far by the value alone, and this is where most of the time would go.
    if (Math.abs(value - (state.floats[prototypeAt(at, prototype)] ?? 0)) > least * FEATURES) continue;
    const distance = distanceTo(state, prototypeAt(at, prototype), least);
    if (distance < least) {
      least = distance;
      nearest = prototype;
    }
  }
  return nearest;
}

function learnShape(state: SeriesState, at: StateSize): void {
  const { doubles, floats } = state;
  let met = nearestPrototype(state, at);
  const isNew =
    distanceTo(state, prototypeAt(at, met), Number.MAX_VALUE) > VIGILANCE * rangeOf(doubles, at.doubles);
  if (isNew || doubles[at.doubles + KNOWN] === 0) {
    met = placeForNew(state, at);
    for (let k = 0; k < FEATURES; k++) floats[prototypeAt(at, met) + k] = shape[k] ?? 0;
    floats[prototypeAt(at, met) + FEATURES] = 1;
  } else {
    const prototype = prototypeAt(at, met);
    for (let k = 0; k < FEATURES; k++) {
      const feature = floats[prototype + k] ?? 0;
      floats[prototype + k] = feature + LEARN_RATE * ((shape[k] ?? 0) - feature);
    }
    floats[prototype + FEATURES] = Math.min(MOST_MET, (floats[prototype + FEATURES] ?? 0) + 1);
  }
  doubles[at.doubles + LAST_MET] = met;
}

/** A free place, or that of the prototype met least. */
function placeForNew({ doubles, floats }: SeriesState, at: StateSize): number {
  const known = doubles[at.doubles + KNOWN] ?? 0;
  if (known < PROTOTYPES) {
    doubles[at.doubles + KNOWN] = known + 1;
    return known;
  }
  let least = 0;
  for (let prototype = 0; prototype < PROTOTYPES; prototype++) {
    const met = prototypeAt(at, prototype) + FEATURES;
    if ((floats[met] ?? 0) < (floats[prototypeAt(at, least) + FEATURES] ?? 0)) least = prototype;
    floats[met] = MET_FADING * (floats[met] ?? 0);
  }
  return least;
}
