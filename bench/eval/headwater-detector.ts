import { noHints } from '../../src/anomaly/detection/reading.ts';
import {
  newSeriesState,
  type SeriesState,
  type StateSize,
} from '../../src/anomaly/detection/series-state.ts';
import { learnedScore, unusual } from '../../src/anomaly/learned/unusual.ts';
import { sensorFaults } from '../../src/anomaly/rules/sensor-faults.ts';
import { AlertTracker } from './alert-tracker.ts';
import { type Detector, isRule, type Scorer } from './detector.ts';

const faultsAt: StateSize = { doubles: 0, floats: 0 };
const unusualAt = sensorFaults.size;

function newState(): SeriesState {
  const state = newSeriesState({
    doubles: unusualAt.doubles + unusual.size.doubles,
    floats: unusualAt.floats + unusual.size.floats,
  });
  sensorFaults.reset(state, faultsAt);
  unusual.reset(state, unusualAt);
  return state;
}

function learnedScorer(): Scorer {
  const state = newState();
  return ({ timeMs, value }) => learnedScore(state, unusualAt, timeMs, value);
}

/** The score of the learned views, and 1 where a rule raises an alert: whether it is better is measured in each run. */
export function scorerWithRules(): Scorer {
  const learned = learnedScorer();
  const state = newState();
  const alerts = new AlertTracker();
  return (reading) => {
    const score = learned(reading);
    const raised = alerts.observe(reading, sensorFaults.observe(state, faultsAt, reading, noHints));
    return [...raised].some(isRule) ? 1 : score;
  };
}

/**
 * All of our detectors, without any hint: the rules first; what they call no measurement, the learned views do not see. Its score is that of the
 * learned views: rules have none.
 */
export const headwaterDetector: Detector = {
  name: 'headwater',
  newScorer: learnedScorer,
  newState,
  observe: (state, reading) => {
    const faults = sensorFaults.observe(state, faultsAt, reading, noHints);
    if (!sensorFaults.isMeasurement(state, faultsAt)) return faults;
    const found = unusual.observe(state, unusualAt, reading, noHints);
    return found.length === 0 ? faults : [...faults, ...found];
  },
};
