import { allDetectors } from '../../src/anomaly/all-detectors.ts';
import { noHints, type Sensitivity } from '../../src/anomaly/detection/reading.ts';
import { newSeriesState, type StateSize } from '../../src/anomaly/detection/series-state.ts';
import { learnedScore, unusual } from '../../src/anomaly/learned/unusual.ts';
import { defaultSettings } from '../../src/anomaly/series/series-settings.ts';
import { AlertTracker } from './alert-tracker.ts';
import { type Detector, isRule, type Scorer } from './detector.ts';

const at: StateSize = { doubles: 0, floats: 0 };

function learnedScorer(): Scorer {
  const state = newSeriesState(unusual.size);
  unusual.reset(state, at);
  return ({ timeMs, value }) => learnedScore(state, at, timeMs, value);
}

/** The score of the learned views, and 1 where a rule raises an alert: whether it is better is measured in each run. */
export function scorerWithRules(): Scorer {
  const learned = learnedScorer();
  const state = allDetectors.newState();
  const alerts = new AlertTracker();
  return (reading) => {
    const score = learned(reading);
    const raised = alerts.observe(reading, allDetectors.observe(state, reading, defaultSettings));
    return [...raised].some(isRule) ? 1 : score;
  };
}

/** All detectors of the daemon, told nothing of the series. The score is that of the learned views: rules have none. */
export function detectorOf(sensitivity: Sensitivity): Detector {
  const settings = { ...defaultSettings, hints: { ...noHints, sensitivity } };
  return {
    name: 'headwater',
    newScorer: learnedScorer,
    newState: () => allDetectors.newState(),
    observe: (state, reading) => allDetectors.observe(state, reading, settings),
  };
}

/** As it is without a configuration. */
export const headwaterDetector: Detector = detectorOf(noHints.sensitivity);
