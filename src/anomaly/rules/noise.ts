import { limits } from '../../core/limits.ts';
import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import { gaugeDoubles, gaugeIsExceeded, gaugeRecord } from './gauge.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

const ROOT = 0;
const USUAL = 1;
const UP = 2;
const DOWN = UP + gaugeDoubles;

/** Noise is the mean of the roots of the last steps, squared: a single large step moves it little. */
const noiseReadings = 16;
const usualReadings = 512;

/** A step counts as so many usual ones at most: a spike is no noise. */
const boundSteps = 10;

const upMargin = 1.6;
const downMargin = 4;

/** Less than this share of the usual noise is as good as none. */
const floorShare = 0.01;

/**
 * Noise beyond all that was usual, or gone ("noise" faults: Sharma et al. 2010; high variance, Ni et al. 2009). Noise is what
 * the value changes by from reading to reading.
 */
export const noiseRule: Rule = {
  size: { doubles: DOWN + gaugeDoubles, floats: 0 },
  consequence: 'none',
  silencedBy: [],

  reset(): void {},

  observe(state: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const { doubles } = state;
    const begin = at.doubles;
    const { count } = observed;
    if (count === 0 || observed.isCounter) return null;
    const usual = doubles[begin + USUAL] ?? 0;
    const before = doubles[begin + ROOT] ?? 0;
    const bound = count < usualReadings / 8 || usual === 0 ? Number.POSITIVE_INFINITY : boundSteps * usual;
    const size = Math.min(Math.abs(observed.step), bound);
    const root = before + (Math.sqrt(size) - before) / Math.min(count, noiseReadings);
    const noise = root * root;
    doubles[begin + ROOT] = root;
    const usualNoise = usual + (size - usual) / Math.min(count, usualReadings);
    doubles[begin + USUAL] = usualNoise;
    const calm = usualNoise > 0 ? usualNoise / (noise + floorShare * usualNoise) : 0;
    const record = gaugeRecord(state, begin + UP);
    const calmRecord = gaugeRecord(state, begin + DOWN);
    const isUp = gaugeIsExceeded(state, begin + UP, noise, upMargin, observed.newQuantum, observed);
    const isDown = gaugeIsExceeded(state, begin + DOWN, calm, downMargin, 0, observed);
    if (!isUp && !isDown) return null;
    const words = [`changes by ${inWords(noise)} a reading`];
    if (isUp) {
      words.push(`usually by ${inWords(usualNoise)}, by ${inWords(record)} at most`);
      return faultFinding('noise-up', 400, words, { isWarmingUp: observed.isNew });
    }
    if (observed.ageMs < limits.nightsKnownMs) return null;
    words.push(`usually by ${inWords(usualNoise)}, by ${inWords(usualNoise / calmRecord)} at least`);
    return faultFinding('noise-down', 300, words);
  },
};
