import type { Finding, ValueRange } from '../detection/finding.ts';
import type { DetectionPart } from '../detection/part.ts';
import { noHints, type Reading, type SeriesHints } from '../detection/reading.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import { clockSkewRule } from './clock-skew.ts';
import { counterResetRule } from './counter-reset.ts';
import { levelRule } from './level.ts';
import { noiseRule } from './noise.ts';
import { orderRule } from './order.ts';
import { outOfRangeRule, valueRange } from './out-of-range.ts';
import type { Observed, Rule } from './rule.ts';
import { sentinelRule } from './sentinel.ts';
import { seriesProfile } from './series-profile.ts';
import { silenceRule, silentAfterMs } from './silence.ts';
import { stepRule } from './step.ts';
import { stuckRule } from './stuck.ts';

/** All rules, in the order in which they see a reading. */
export const rules: readonly Rule[] = [
  orderRule,
  clockSkewRule,
  silenceRule,
  sentinelRule,
  counterResetRule,
  outOfRangeRule,
  stuckRule,
  stepRule,
  levelRule,
  noiseRule,
];

const nothing: readonly Finding[] = Object.freeze([]);

const IS_MEASUREMENT = 0;
const flagSize: StateSize = { doubles: 1, floats: 0 };

/** Where the numbers of each rule begin, one after the other, after the flag and the profile; at last, where they all end. */
const begins: readonly StateSize[] = [...rules.keys(), rules.length].map((index) =>
  rules.slice(0, index).reduce((sum, rule) => add(sum, rule.size), add(flagSize, seriesProfile.size)),
);

const noReading: Reading = { timeMs: 0, value: 0, sourceTimeMs: null };

/** Written anew at each reading, so that none is allocated. */
const observed: Observed = {
  reading: noReading,
  hints: noHints,
  count: 0,
  previous: 0,
  step: 0,
  newQuantum: 0,
  elapsedMs: 0,
  ageMs: 0,
  isNew: true,
  intervalMs: 0,
  fade: 1,
  isCounter: false,
  isReset: false,
  endsBlock: false,
  caution: 1,
};

/** Where the rule at work has its numbers: written anew as well. */
const place = { doubles: 0, floats: 0 };

/** The named faults of sensors. */
export interface SensorFaults extends DetectionPart {
  /** Whether the reading observed last was a measurement. If not, as of a sentinel value, no detector is to learn from it. */
  isMeasurement(state: SeriesState, at: StateSize): boolean;
  /** After how long without a reading, in milliseconds, the series is silent; infinite while that is not known. For a timer: changes nothing. */
  silentAfterMs(state: SeriesState, at: StateSize, hints: SeriesHints): number;
  /** Beyond which limits a value at this time would be out of range. Changes nothing. */
  valueRange(state: SeriesState, at: StateSize, timeMs: number, hints: SeriesHints): ValueRange;
}

export const sensorFaults: SensorFaults = {
  size: begins.at(-1) ?? flagSize,

  reset(state: SeriesState, at: StateSize): void {
    state.doubles.fill(0, at.doubles, at.doubles + this.size.doubles);
    state.floats.fill(0, at.floats, at.floats + this.size.floats);
    for (const [index, rule] of rules.entries()) rule.reset(state, placeOf(at, index));
  },

  observe(state: SeriesState, at: StateSize, reading: Reading, hints: SeriesHints): readonly Finding[] {
    seriesProfile.compare(state, profilePlace(at), reading, hints, observed);
    let findings: Finding[] | null = null;
    let isMeasurement = true;
    for (let index = 0; index < rules.length; index += 1) {
      const rule = rules[index];
      const found = rule?.observe(state, placeOf(at, index), observed) ?? null;
      if (rule === undefined || found === null) continue;
      findings ??= [];
      if (!findings.some(({ kind }) => rule.silencedBy.includes(kind))) findings.push(found);
      isMeasurement = rule.consequence !== 'no-measurement';
      if (rule.consequence !== 'none') break;
    }
    if (isMeasurement) seriesProfile.learn(state, profilePlace(at), observed);
    state.doubles[at.doubles + IS_MEASUREMENT] = isMeasurement ? 1 : 0;
    observed.reading = noReading;
    return findings ?? nothing;
  },

  isMeasurement({ doubles }: SeriesState, at: StateSize): boolean {
    return doubles[at.doubles + IS_MEASUREMENT] === 1;
  },

  silentAfterMs(state: SeriesState, at: StateSize, hints: SeriesHints): number {
    seriesProfile.compare(state, profilePlace(at), noReading, hints, observed);
    return silentAfterMs(state, placeOf(at, rules.indexOf(silenceRule)), observed);
  },

  valueRange(state: SeriesState, at: StateSize, timeMs: number, hints: SeriesHints): ValueRange {
    seriesProfile.compare(state, profilePlace(at), { ...noReading, timeMs }, hints, observed);
    return valueRange(state, placeOf(at, rules.indexOf(outOfRangeRule)), observed);
  },
};

function placeOf(at: StateSize, index: number): StateSize {
  const begin = begins[index] ?? flagSize;
  place.doubles = at.doubles + begin.doubles;
  place.floats = at.floats + begin.floats;
  return place;
}

/** After the flag. */
function profilePlace(at: StateSize): StateSize {
  place.doubles = at.doubles + flagSize.doubles;
  place.floats = at.floats + flagSize.floats;
  return place;
}

function add(left: StateSize, right: StateSize): StateSize {
  return { doubles: left.doubles + right.doubles, floats: left.floats + right.floats };
}
