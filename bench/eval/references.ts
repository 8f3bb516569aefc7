import type { Finding } from '../../src/anomaly/detection/finding.ts';
import { newSeriesState } from '../../src/anomaly/detection/series-state.ts';
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

/** The least that a detector should beat: the distance from an exponentially weighted mean in standard deviations. */
export const movingAverage: Detector = {
  name: 'moving-average',
  newState: () => newSeriesState({ doubles: 3, floats: 0 }),
  observe: ({ doubles }, { value }) => {
    const readings = doubles[READINGS] ?? 0;
    const distance = readings === 0 ? 0 : value - (doubles[MEAN] ?? 0);
    const variance = doubles[VARIANCE] ?? 0;
    const deviations = Math.abs(distance) / Math.sqrt(variance + Number.EPSILON);
    const weight = Math.max(WEIGHT, 1 / (readings + 1));
    doubles[MEAN] = readings === 0 ? value : (doubles[MEAN] ?? 0) + weight * distance;
    doubles[VARIANCE] = (1 - weight) * (variance + weight * distance * distance);
    doubles[READINGS] = readings + 1;
    if (readings < WARM_UP_READINGS) return { score: 0, findings: nothing };
    const score = deviations / (deviations + 1);
    return { score, findings: deviations > DEVIATIONS ? [unusual(score)] : nothing };
  },
};
