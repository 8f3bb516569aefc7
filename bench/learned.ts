import { noHints, type Reading } from '../src/anomaly/detection/reading.ts';
import { newSeriesState } from '../src/anomaly/detection/series-state.ts';
import { unusual } from '../src/anomaly/learned/unusual.ts';
import { views } from '../src/anomaly/learned/views.ts';
import { DAY_MS, START_MS, ViewRun } from '../test/anomaly/learned/synthetic.ts';
import { SimRandom } from '../test/support/sim-random.ts';
import { healthySeries } from './healthy-series.ts';
import { median, type Result, rounded } from './result.ts';

const WEEKS = 8;
const WEEK_MS = 7 * DAY_MS;
const SEEDS = 3;
const STEPS_SECONDS = [60, 300, 3600];
const AT = { doubles: 0, floats: 0 };

const GOAL_ALERTS_PER_WEEK = 1;
const GOAL_MICROSECONDS = 4;

/** A reading that is used again for each: reading objects are not what is measured. */
type MutableReading = { -readonly [K in keyof Reading]: Reading[K] };

/** Alerts a week of one kind of series, by all its seeds. */
function alertsPerWeek(name: string, stepSeconds: number): number {
  let alerts = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const course = healthySeries[name]?.(new SimRandom(seed));
    if (course === undefined) throw new Error(`there is no series ${name}`);
    const state = newSeriesState(unusual.size);
    let wasUnusual = false;
    for (let timeMs = START_MS; timeMs < START_MS + WEEKS * WEEK_MS; timeMs += stepSeconds * 1000) {
      const reading = { timeMs, value: course(timeMs), sourceTimeMs: null };
      const isUnusual = unusual.observe(state, AT, reading, noHints).length > 0;
      if (isUnusual && !wasUnusual) alerts++;
      wasUnusual = isUnusual;
    }
  }
  return alerts / (SEEDS * WEEKS);
}

/** Microseconds of CPU a reading takes, of so many series that take turns, once they are warm. */
function cost(series: number, readings: number): number {
  const courses = Object.values(healthySeries);
  const values = Array.from({ length: series }, (_, index) => {
    const course = courses[index % courses.length]?.(new SimRandom(index));
    return Float64Array.from({ length: readings }, (_value, k) => course?.(START_MS + k * 60_000) ?? 0);
  });
  const states = Array.from({ length: series }, () => newSeriesState(unusual.size));
  const reading: MutableReading = { timeMs: 0, value: 0, sourceTimeMs: null };
  let started = process.cpuUsage();
  for (let k = 0; k < readings; k++) {
    if (k === readings / 2) started = process.cpuUsage();
    for (const [index, state] of states.entries()) {
      reading.timeMs = START_MS + k * 60_000;
      reading.value = values[index]?.[k] ?? 0;
      unusual.observe(state, AT, reading, noHints);
    }
  }
  const { user, system } = process.cpuUsage(started);
  return (user + system) / ((series * readings) / 2);
}

/** Microseconds of a score and what is learned, of each view alone. */
function costOfViews(): Readonly<Record<string, number>> {
  const course = healthySeries['a daily course that wanders']?.(new SimRandom(1));
  const rows = Array.from({ length: 50_000 }, (_, k) => {
    const timeMs = START_MS + k * 60_000;
    return { timeMs, value: course?.(timeMs) ?? 0 };
  });
  const costs = views.map((view) => {
    const runs = Array.from({ length: 5 }, () => {
      const started = process.cpuUsage();
      new ViewRun(view).scores(rows);
      const { user, system } = process.cpuUsage(started);
      return (user + system) / rows.length;
    });
    return [view.name, median(runs)] as const;
  });
  return Object.fromEntries(costs);
}

/** What the learned views cost, and how often they alert of series in which nothing is wrong. */
export function learnedBenchmark(): Result {
  const figures: Record<string, number> = { stateBytes: unusual.size.doubles * 8 + unusual.size.floats * 4 };
  for (const [name, microseconds] of Object.entries(costOfViews())) {
    const view = views.find((one) => one.name === name);
    const bytes = (view?.size.doubles ?? 0) * 8 + (view?.size.floats ?? 0) * 4;
    figures[`${name}Microseconds`] = rounded(microseconds);
    console.log(`${name.padEnd(12)} ${microseconds.toFixed(2)} µs a reading, ${bytes} bytes`);
  }
  figures['oneSeriesMicroseconds'] = rounded(median([1, 2, 3].map(() => cost(1, 200_000))));
  figures['manySeriesMicroseconds'] = rounded(median([1, 2, 3].map(() => cost(5_000, 200))));
  console.log(
    `all of it, and alerts: ${figures['oneSeriesMicroseconds']} µs a reading of one series, ${figures['manySeriesMicroseconds']} µs of 5,000 that take turns\n`,
  );
  let worst = 0;
  for (const stepSeconds of STEPS_SECONDS) {
    const all = Object.keys(healthySeries).map((name) => {
      const alerts = alertsPerWeek(name, stepSeconds);
      console.log(`${alerts.toFixed(2)} alerts a week: ${name}, each ${stepSeconds} s`);
      return alerts;
    });
    worst = Math.max(worst, ...all);
    figures[`alertsPerWeekEach${stepSeconds}Seconds`] = rounded(
      all.reduce((sum, alerts) => sum + alerts, 0) / all.length,
    );
  }
  figures['alertsPerWeekWorst'] = rounded(worst);
  const slowest = figures['manySeriesMicroseconds'] ?? 0;
  const broken = [
    ...(worst > GOAL_ALERTS_PER_WEEK ? [`a healthy series gave ${worst.toFixed(2)} alerts a week`] : []),
    ...(slowest > GOAL_MICROSECONDS ? [`a reading took ${slowest} µs`] : []),
  ];
  const summary = `goal at most ${GOAL_ALERTS_PER_WEEK} alert a week of any healthy series and ${GOAL_MICROSECONDS} µs a reading, got ${worst.toFixed(2)} and ${slowest}`;
  return { summary, broken, figures };
}
