import type { Finding } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';
import { newSeriesState, type SeriesState } from '../../src/anomaly/detection/series-state.ts';
import type { Detector } from './detector.ts';
import type { LabelledSeries } from './nab-corpus.ts';

/** What a score of the benchmark is worth is seen beside these. */

const CLOCK_ROWS = 600;

/** Alarms every 600 readings and looks at none. */
export const clockScores = ({ rows }: LabelledSeries): readonly number[] =>
  rows.map((_, row) => (row % CLOCK_ROWS === 0 ? 1 : 0));

/** Knows the labels: alarms exactly at the labelled instants. */
export const oracleScores = ({ rows, anomalies }: LabelledSeries): readonly number[] =>
  rows.map((_, row) => (anomalies.includes(row) ? 1 : 0));

const WEIGHT = 0.01;
const DEVIATIONS = 8;
const WARM_UP_READINGS = 100;
const MEAN = 0;
const VARIANCE = 1;
const READINGS = 2;
const nothing: readonly Finding[] = [];

const unusual = (score: number): Finding => ({
  kind: 'unusual',
  severity: 500,
  score,
  expected: null,
  rarity: null,
  words: [],
  isWarmingUp: false,
});

const newState = () => newSeriesState({ doubles: 3, floats: 0 });

/** How far a reading is from an exponentially weighted mean, from 0 to 1; both are learned then. */
function distance({ doubles }: SeriesState, { value }: Reading): number {
  const readings = doubles[READINGS] ?? 0;
  const error = readings === 0 ? 0 : value - (doubles[MEAN] ?? 0);
  const variance = doubles[VARIANCE] ?? 0;
  const deviations = Math.abs(error) / Math.sqrt(variance + Number.EPSILON);
  const weight = Math.max(WEIGHT, 1 / (readings + 1));
  doubles[MEAN] = readings === 0 ? value : (doubles[MEAN] ?? 0) + weight * error;
  doubles[VARIANCE] = (1 - weight) * (variance + weight * error * error);
  doubles[READINGS] = readings + 1;
  return readings < WARM_UP_READINGS ? 0 : deviations / (deviations + 1);
}

/** The least that a detector should beat: the distance from a moving average in standard deviations. */
export const movingAverage: Detector = {
  name: 'moving-average',
  newScorer: () => {
    const state = newState();
    return (reading) => distance(state, reading);
  },
  newState,
  observe: (state, reading) => {
    const score = distance(state, reading);
    return score > DEVIATIONS / (DEVIATIONS + 1) ? [unusual(score)] : nothing;
  },
};
