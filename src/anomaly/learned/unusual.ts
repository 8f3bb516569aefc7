import { limits } from '../../core/limits.ts';
import type { Expected, Finding } from '../detection/finding.ts';
import type { DetectionPart } from '../detection/part.ts';
import type { Sensitivity } from '../detection/reading.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import { thresholdAfterAlert, thresholdNow } from './budget.ts';
import { rarityOf, referenceScore } from './calibration.ts';
import {
  type Judgement,
  judge,
  learn,
  type MixturePlaces,
  mixturePlaces,
  mixtureSize,
  newJudgement,
  resetMixture,
} from './mixture.ts';
import { rarityWords } from './rarity.ts';
import { knownForMs, originOf, readingsSeen } from './rhythm.ts';
import { predictedValue, predictionScale, residual } from './views/residual.ts';
import { views } from './views.ts';

/** The numbers behind those of the mixture. */
const THRESHOLD = 0;
/** The largest surprise that was told of late, fading: one that only goes on is not held for ever. */
const EVIDENCE = 1;
/** The threshold that was exceeded; 0 while nothing is unusual. */
const RAISED = 2;
/** What was seen when it was: the views that spoke loudest, and how rare that is. */
const LOUDEST = 3;
const SECOND = 4;
const REACHED = 5;
const SPAN = 6;
const DOUBLES = 7;

const EVIDENCE_FADING = 0.9;
/** What is unusual stays so until the evidence is below this share of the threshold. */
const HYSTERESIS = 0.5;
/** From fewer no high quantile of block maxima is known. */
const READINGS_OF_WARM_UP = 400;
/** A view speaks if its score is at least this share of what is rarely exceeded. */
const SPEAKING = 0.5;
/** OPC UA part 9: from 1 to 1000. At the threshold it is of the middle third. */
const SEVERITY_OF_THRESHOLD = 400;
const SEVERITY_RANGE = 600;

const nothing: readonly Finding[] = [];
const judgement = newJudgement();

/**
 * Finds what is unusual in a series by what it has learned of it. It never does while the series warms up, and on a healthy
 * series about once a week at most; what it has found holds for some readings.
 */
export const unusual: DetectionPart = {
  size: { doubles: mixtureSize.doubles + DOUBLES, floats: mixtureSize.floats },

  reset(state, at) {
    resetMixture(state, at);
    const own = mixturePlaces(at).end.doubles;
    state.doubles.fill(0, own, own + DOUBLES);
  },

  observe(state, at, { timeMs, value }, { sensitivity }) {
    if (!Number.isFinite(value)) return nothing;
    const places = mixturePlaces(at);
    judge(state, places, timeMs, value, judgement);
    decide(state, places, judgement, sensitivity);
    const isUnusual = state.doubles[places.end.doubles + RAISED] !== 0;
    const findings = isUnusual ? [finding(state, places, judgement)] : nothing;
    learn(state, places, value, judgement);
    return findings;
  },
};

/** Judges a reading by what was known before it, then learns from it: from 0, nothing new, to 1. For those who compare detectors. */
export function learnedScore(state: SeriesState, at: StateSize, timeMs: number, value: number): number {
  if (!Number.isFinite(value)) return 0;
  const places = mixturePlaces(at);
  judge(state, places, timeMs, value, judgement);
  learn(state, places, value, judgement);
  return judgement.score;
}

/** Begins, keeps or ends what is unusual. */
function decide(
  state: SeriesState,
  places: MixturePlaces,
  { sight, surprise, score }: Judgement,
  sensitivity: Sensitivity,
): void {
  const { doubles } = state;
  const own = places.end.doubles;
  const threshold = thresholdNow(doubles[own + THRESHOLD] ?? 0, sight.elapsedMs, sensitivity);
  const isTold = score > 0;
  const evidence = Math.max(isTold ? surprise : 0, EVIDENCE_FADING * (doubles[own + EVIDENCE] ?? 0));
  const raised = doubles[own + RAISED] ?? 0;
  const isRaise = raised === 0 && isTold && surprise > threshold && isWarm(state, places, sight.timeMs);
  doubles[own + EVIDENCE] = evidence;
  doubles[own + THRESHOLD] = isRaise ? thresholdAfterAlert(threshold) : threshold;
  if (isRaise) {
    doubles[own + RAISED] = threshold;
    keepReasons(state, places, judgement);
  } else if (evidence < HYSTERESIS * raised) doubles[own + RAISED] = 0;
}

function isWarm(state: SeriesState, { rhythm }: MixturePlaces, timeMs: number): boolean {
  return (
    readingsSeen(state, rhythm) >= READINGS_OF_WARM_UP &&
    knownForMs(state, rhythm, timeMs) >= limits.unusualWarmUpMs
  );
}

function keepReasons(state: SeriesState, places: MixturePlaces, { sight, scores, ratios }: Judgement): void {
  const { doubles } = state;
  const own = places.end.doubles;
  const [loudest = 0, second = 0] = [...ratios.keys()].sort(
    (one, other) => (ratios[other] ?? 0) - (ratios[one] ?? 0),
  );
  const { reached, spanMs } = rarityOf(
    state,
    places.calibration,
    loudest,
    scores[loudest] ?? 0,
    sight.timeMs,
  );
  doubles[own + LOUDEST] = loudest;
  doubles[own + SECOND] = (ratios[second] ?? 0) >= SPEAKING ? second : loudest;
  doubles[own + REACHED] = reached;
  doubles[own + SPAN] = spanMs;
}

function finding(state: SeriesState, places: MixturePlaces, { sight }: Judgement): Finding {
  const { doubles } = state;
  const own = places.end.doubles;
  const evidence = doubles[own + EVIDENCE] ?? 0;
  const excess = Math.max(0, 1 - (doubles[own + RAISED] ?? 0) / evidence);
  const speaking = new Set([doubles[own + LOUDEST] ?? 0, doubles[own + SECOND] ?? 0]);
  return {
    kind: 'unusual',
    severity: Math.round(SEVERITY_OF_THRESHOLD + SEVERITY_RANGE * excess),
    score: evidence / (1 + evidence),
    expected: expectedValue(state, places),
    rarity: rarityWords({ reached: doubles[own + REACHED] ?? 0, spanMs: doubles[own + SPAN] ?? 0 }),
    words: [...speaking].map((index) => views[index]?.words(sight) ?? ''),
    isWarmingUp: knownForMs(state, places.rhythm, sight.timeMs) < limits.unusualAlertMs,
  };
}

/** The prediction, give or take an error that is rarely exceeded. */
function expectedValue(state: SeriesState, places: MixturePlaces): Expected | null {
  const found = places.views.find(({ view }) => view === residual);
  if (found === undefined) return null;
  const value = originOf(state, places.rhythm) + predictedValue(state, found.place);
  const deviations = Math.max(referenceScore(state, places.calibration, found.index), residual.usualScore);
  const reach = deviations * predictionScale(state, found.place);
  return { value, low: value - reach, high: value + reach };
}
