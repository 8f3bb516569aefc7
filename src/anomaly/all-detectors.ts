import { createHash } from 'node:crypto';
import {
  newSeriesState,
  restoredSeriesState,
  type SeriesState,
  type StateSize,
} from './detection/series-state.ts';
import { unusual } from './learned/unusual.ts';
import { sensorFaults } from './rules/sensor-faults.ts';
import type { Detection } from './runner/detection.ts';

/** To be counted on when what the numbers of a state mean has changed: what was saved before is then learned anew. */
const generation = 1;

const faultsAt: StateSize = { doubles: 0, floats: 0 };
const learnedAt: StateSize = sensorFaults.size;
const size: StateSize = {
  doubles: sensorFaults.size.doubles + unusual.size.doubles,
  floats: sensorFaults.size.floats + unusual.size.floats,
};

const fresh = newSeriesState(size);
sensorFaults.reset(fresh, faultsAt);
unusual.reset(fresh, learnedAt);

/** The named faults of sensors first; what is no measurement the learned views do not get to see. */
export const allDetectors: Detection = {
  version: `${generation} ${createHash('sha256').update(fresh.bytes).digest('hex').slice(0, 16)}`,

  newState(): SeriesState {
    const state = newSeriesState(size);
    state.bytes.set(fresh.bytes);
    return state;
  },

  restoredState(bytes): SeriesState | undefined {
    return restoredSeriesState(size, bytes);
  },

  observe(state, reading, { hints, detect }) {
    const faults = sensorFaults.observe(state, faultsAt, reading, hints);
    if (detect === 'faults' || !sensorFaults.isMeasurement(state, faultsAt)) return faults;
    const learned = unusual.observe(state, learnedAt, reading, hints);
    if (learned.length === 0) return faults;
    return faults.length === 0 ? learned : [...faults, ...learned];
  },

  silentAfterMs(state, { hints }) {
    return sensorFaults.silentAfterMs(state, faultsAt, hints);
  },

  valueRange(state, timeMs, { hints }) {
    return sensorFaults.valueRange(state, faultsAt, timeMs, hints);
  },
};
