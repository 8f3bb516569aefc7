import type { SeriesState, StateSize } from '../detection/series-state.ts';
import { calibrationSize, learnScores, referenceScore } from './calibration.ts';
import { Layout } from './layout.ts';
import { learnRhythm, type MutableSight, rhythmSize, takeSight } from './rhythm.ts';
import type { Sight, View } from './views/view.ts';
import { views } from './views.ts';

/** What the mixture thinks of a reading. */
export interface Judgement {
  readonly sight: Sight;
  /** The scores of the views, in the order of their list. */
  readonly scores: Float64Array;
  /** The same as multiples of what is rarely exceeded in this series: above 1 is rare. */
  readonly ratios: Float64Array;
  /** The mean of the ratios. */
  readonly surprise: number;
  /** From 0, nothing new, to 1: the surprise, unless the series was as surprising a while ago. */
  readonly score: number;
}

/** A judgement that is filled in for one reading after the other. */
export type MutableJudgement = { -readonly [K in keyof Judgement]: Judgement[K] } & {
  readonly sight: MutableSight;
};

/** Where the parts of a mixture are whose numbers begin at `start`. */
export interface MixturePlaces {
  readonly start: StateSize;
  readonly record: StateSize;
  readonly rhythm: StateSize;
  readonly calibration: StateSize;
  readonly views: readonly { readonly view: View; readonly place: StateSize; readonly index: number }[];
  readonly end: StateSize;
}

/** A surprise must exceed the last one told, as far as that has faded, by so much: else a ramp would be told at each step. */
const MARGIN = 1.4;
/** What is left of the record after one more reading: a half of it after a hundred. */
const RECORD_FADING = Math.exp(-1 / 150);

let lastPlaces = placed({ doubles: 0, floats: 0 });

/** What the mixture takes of a state. */
export const mixtureSize: StateSize = lastPlaces.end;

/** The places of a mixture. Those asked for last are kept: they are mostly the same for all series. */
export function mixturePlaces(start: StateSize): MixturePlaces {
  const last = lastPlaces.start;
  if (last.doubles !== start.doubles || last.floats !== start.floats) lastPlaces = placed(start);
  return lastPlaces;
}

/** Empty, to be filled in. */
export function newJudgement(): MutableJudgement {
  return {
    sight: { timeMs: 0, value: 0, elapsedMs: 0, isAfterGap: false },
    scores: new Float64Array(views.length),
    ratios: new Float64Array(views.length),
    surprise: 0,
    score: 0,
  };
}

/** Writes the state of a series of which nothing is known. */
export function resetMixture({ doubles, floats }: SeriesState, start: StateSize): void {
  doubles.fill(0, start.doubles, start.doubles + mixtureSize.doubles);
  floats.fill(0, start.floats, start.floats + mixtureSize.floats);
}

/**
 * Judges a finite reading by what was learned before. Does not change the state. The views count alike: weights that were
 * learned from some series lost on others.
 */
export function judge(
  state: SeriesState,
  places: MixturePlaces,
  timeMs: number,
  value: number,
  judgement: MutableJudgement,
): void {
  takeSight(state, places.rhythm, timeMs, value, judgement.sight);
  let sum = 0;
  for (const { view, place, index } of places.views) {
    const score = view.score(state, place, judgement.sight);
    const ratio = score / Math.max(referenceScore(state, places.calibration, index), view.usualScore);
    judgement.scores[index] = score;
    judgement.ratios[index] = ratio;
    sum += ratio;
  }
  judgement.surprise = sum / views.length;
  judgement.score = isTold(state, places, judgement.surprise)
    ? judgement.surprise / (1 + judgement.surprise)
    : 0;
}

/** Learns from the reading that has just been judged. */
export function learn(state: SeriesState, places: MixturePlaces, value: number, judgement: Judgement): void {
  const { sight, scores, surprise } = judgement;
  const record = places.record.doubles;
  state.doubles[record] = isTold(state, places, surprise)
    ? surprise
    : RECORD_FADING * (state.doubles[record] ?? 0);
  learnScores(state, places.calibration, sight.timeMs, scores);
  for (const { view, place } of places.views) view.learn(state, place, sight);
  learnRhythm(state, places.rhythm, value, sight);
}

function isTold({ doubles }: SeriesState, { record }: MixturePlaces, surprise: number): boolean {
  return surprise > MARGIN * RECORD_FADING * (doubles[record.doubles] ?? 0);
}

function placed(start: StateSize): MixturePlaces {
  const layout = new Layout(start);
  return {
    start,
    record: layout.place({ doubles: 1, floats: 0 }),
    rhythm: layout.place(rhythmSize),
    calibration: layout.place(calibrationSize(views.length)),
    views: views.map((view, index) => ({ view, place: layout.place(view.size), index })),
    end: layout.end,
  };
}
