import { limits } from '../../core/limits.ts';
import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

const RUN = 0;
const LONGEST = 1;
const CHANGES = 2;
const PLATEAUS = 3;

/** Values at which the series rests longer than elsewhere: zero at night, both ends of a valve. */
const plateauPlaces = 3;

/** Of each: the value, its longest run, how often it had one, and how often one about as long as the longest. */
const plateauDoubles = 4;
const VALUE = 0;
const LONGEST_HERE = 1;
const VISITS = 2;
const AS_LONG = 3;

/** A shorter run does not make a plateau. */
const plateauRun = 4;

/** A longest run that was about reached so often, within this share, is a limit, not the luck of the draw. */
const asLongKnown = 4;
const asLongShare = 0.95;

/** A value is stuck after so many readings at least, … */
const leastRun = 8;

/** … and after so many times its longest run; less if that is a limit. */
const runMargin = 2;
const limitMargin = 1.1;

/** While not a whole day was seen, nights may be calmer. */
const youthMargin = 6;

/** A series that has hardly ever changed is not stuck. */
const changesKnown = 16;

/** A run that came by chance so rarely is not one: of that many readings. */
const rareChance = 1e-6;

/**
 * The same value for longer than ever before (a "constant" fault: Sharma et al. 2010; "stuck-at": Ni et al. 2009). What is
 * usual is learned: how often a value repeats, the longest run, and the longest runs at the few values where the series rests.
 */
export const stuckRule: Rule = {
  size: { doubles: PLATEAUS + plateauDoubles * plateauPlaces, floats: 0 },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe({ doubles }: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const begin = at.doubles;
    const { count, step, previous } = observed;
    const run = doubles[begin + RUN] ?? 0;
    const longest = (doubles[begin + LONGEST] ?? 0) * observed.fade;
    const changes = doubles[begin + CHANGES] ?? 0;
    doubles[begin + LONGEST] = longest;
    if (count > 0 && step !== 0) {
      learnRun(doubles, begin, previous, run);
      doubles[begin + CHANGES] = changes + 1;
      doubles[begin + RUN] = 1;
      return null;
    }
    doubles[begin + RUN] = run + 1;
    if (run < leastRun) return null;
    const limit = runLimit(doubles, begin, observed, longest, changes);
    if (run + 1 <= limit) return null;
    const usual = Math.max(Math.round(longestAt(doubles, begin, previous, longest)), 1);
    const before =
      usual === 1 ? 'it changed at every one before' : `it changed at least every ${usual} before`;
    const words = [`the same value ${inWords(previous)} for ${run + 1} readings`, before];
    return faultFinding('stuck', 500, words, { isWarmingUp: observed.isNew });
  },
};

/** The longest run of the value before that is no fault. */
function runLimit(
  doubles: Float64Array,
  begin: number,
  observed: Observed,
  longest: number,
  changes: number,
): number {
  const { previous, count, ageMs, caution } = observed;
  const plateau = plateauOf(doubles, begin, previous);
  const isLimit = plateau >= 0 && (doubles[plateau + AS_LONG] ?? 0) >= asLongKnown;
  if (changes < changesKnown && !isLimit) return Number.POSITIVE_INFINITY;
  const longestHere = longestAt(doubles, begin, previous, longest);
  const isYoung = longestHere > 1 && observed.isNew;
  // Many series rest at zero by night, and the first night has yet to be seen.
  if (previous === 0 && ageMs < limits.nightsKnownMs) return Number.POSITIVE_INFINITY;
  const margin = isYoung ? youthMargin : isLimit ? limitMargin : runMargin;
  const known = Math.max(leastRun, margin * longestHere);
  if (plateau >= 0) return caution * known;
  const rest = margin * longestRest(doubles, begin);
  // Runs of chance have a geometric distribution; of all measurements, this share repeated the one before it.
  const repeated = Math.max(1 - (changes + 1) / (count + 1), rareChance);
  const chance = Math.log(rareChance) / Math.log(repeated);
  return caution * Math.max(known, Math.min(chance, rest));
}

/** The longest run at the values where the series rests. */
function longestRest(doubles: Float64Array, begin: number): number {
  let rest = 0;
  for (let index = 0; index < plateauPlaces; index += 1) {
    rest = Math.max(rest, doubles[begin + PLATEAUS + plateauDoubles * index + LONGEST_HERE] ?? 0);
  }
  return rest;
}

function longestAt(doubles: Float64Array, begin: number, value: number, longest: number): number {
  const plateau = plateauOf(doubles, begin, value);
  return plateau < 0 ? longest : Math.max(longest, doubles[plateau + LONGEST_HERE] ?? 0);
}

function plateauOf(doubles: Float64Array, begin: number, value: number): number {
  for (let index = 0; index < plateauPlaces; index += 1) {
    const plateau = begin + PLATEAUS + plateauDoubles * index;
    if ((doubles[plateau + VISITS] ?? 0) > 0 && doubles[plateau] === value) return plateau;
  }
  return -1;
}

/** Takes in a run that has ended: a long one makes its value a plateau, in place of the one with the fewest visits. */
function learnRun(doubles: Float64Array, begin: number, value: number, run: number): void {
  const longest = doubles[begin + LONGEST] ?? 0;
  if (run < plateauRun) {
    doubles[begin + LONGEST] = Math.max(longest, run);
    return;
  }
  const known = plateauOf(doubles, begin, value);
  if (known >= 0) {
    const longestHere = doubles[known + LONGEST_HERE] ?? 0;
    doubles[known + VISITS] = (doubles[known + VISITS] ?? 0) + 1;
    if (run >= asLongShare * longestHere) doubles[known + AS_LONG] = (doubles[known + AS_LONG] ?? 0) + 1;
    if (run > longestHere) doubles[known + AS_LONG] = 1;
    doubles[known + LONGEST_HERE] = Math.max(longestHere, run);
    return;
  }
  let rarest = begin + PLATEAUS;
  for (let index = 1; index < plateauPlaces; index += 1) {
    const other = begin + PLATEAUS + plateauDoubles * index;
    if ((doubles[other + VISITS] ?? 0) < (doubles[rarest + VISITS] ?? 0)) rarest = other;
  }
  doubles[begin + LONGEST] = Math.max(longest, doubles[rarest + LONGEST_HERE] ?? 0);
  doubles[rarest + VALUE] = value;
  doubles[rarest + LONGEST_HERE] = run;
  doubles[rarest + VISITS] = 1;
  doubles[rarest + AS_LONG] = 1;
}
