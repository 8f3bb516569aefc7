import { centreOf, countOf, deviationOf, learnSpread, spreadDoubles } from './spread.ts';
import { inDeviations, type View } from './view.ts';

const HOURS = 24;
const HOUR_MILLISECONDS = 3_600_000;
/** Of each hour: the mean, the mean deviation, and how often it has been seen through. */
const FLOATS_PER_HOUR = 3;

/** An hour seen through so often is believed by half; the other half is what is usual at any time. */
const VISITS_SHRINK = 2;
/** The mean of an hour is that of its last visits: so many. */
const REMEMBERED_VISITS = 10;
/** What a reading counts whose time of validity nobody knows: the first one, and those after a gap. */
const VISIT_OF_ONE_READING = 0.1;
/** No hour is believed to be quieter than this share of what is usual. */
const LEAST_DEVIATION_SHARE = 0.15;
const OVERALL_RATE = 0.0005;
const READINGS_TO_BEGIN = 30;

/**
 * How far a value is from what is usual at this hour of the day (UTC). An hour that has seldom been seen is drawn towards the
 * mean of all (shrinkage as of James and Stein, 1961). Hours count by the time seen, not by readings.
 */
export const timeOfDay: View = {
  name: 'time-of-day',
  size: { doubles: spreadDoubles, floats: HOURS * FLOATS_PER_HOUR },
  usualScore: 2.5,

  score({ doubles, floats }, at, { timeMs, value }) {
    if (countOf(doubles, at.doubles) < READINGS_TO_BEGIN) return 0;
    const hour = at.floats + hourOf(timeMs) * FLOATS_PER_HOUR;
    const visits = floats[hour + 2] ?? 0;
    const trust = visits / (visits + VISITS_SHRINK);
    const mean = trust * (floats[hour] ?? 0) + (1 - trust) * centreOf(doubles, at.doubles);
    const overall = deviationOf(doubles, at.doubles);
    const deviation = trust * (floats[hour + 1] ?? 0) + (1 - trust) * overall;
    return inDeviations(value - mean, Math.max(deviation, LEAST_DEVIATION_SHARE * overall));
  },

  learn({ doubles, floats }, at, { timeMs, value, elapsedMs, isAfterGap }) {
    const isFirst = countOf(doubles, at.doubles) === 0;
    learnSpread(doubles, at.doubles, value, OVERALL_RATE);
    const visit = isFirst || isAfterGap ? VISIT_OF_ONE_READING : Math.min(1, elapsedMs / HOUR_MILLISECONDS);
    const hour = at.floats + hourOf(timeMs) * FLOATS_PER_HOUR;
    const visits = Math.min((floats[hour + 2] ?? 0) + visit, REMEMBERED_VISITS);
    if (visits === 0) return;
    const rate = Math.min(1, visit / visits);
    const error = value - (floats[hour] ?? 0);
    floats[hour] = (floats[hour] ?? 0) + rate * error;
    floats[hour + 1] = (floats[hour + 1] ?? 0) + rate * (Math.abs(error) - (floats[hour + 1] ?? 0));
    floats[hour + 2] = visits;
  },

  words: ({ timeMs }) => `unusual for ${String(hourOf(timeMs)).padStart(2, '0')}:00 UTC`,
};

function hourOf(timeMs: number): number {
  const hour = Math.floor(timeMs / HOUR_MILLISECONDS) % HOURS;
  return hour < 0 ? hour + HOURS : hour;
}
