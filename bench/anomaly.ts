import type { SeriesState } from '../src/anomaly/detection/series-state.ts';
import { collectGarbage } from '../test/support/collect-garbage.ts';
import { SimRandom } from '../test/support/sim-random.ts';
import type { Detector } from './eval/detector.ts';
import { headwaterDetector } from './eval/headwater-detector.ts';
import { median, type Result, rounded } from './result.ts';

const GOAL_MICROS = 5;
const GOAL_KIB = 12;
const SERIES = [1, 300, 5_000] as const;
/** Of all series together; at least so many of each that none is measured while it is warming up. */
const READINGS = 300_000;
const WARM_UP_READINGS = 400;
const MEASURED_READINGS_MIN = 60;
const INTERVAL_MS = 60_000;
const DAY_READINGS = 1440;
const FAR_IN_THE_PAST_MS = 1_700_000_000_000;
const WAVES = 64;

/** What detection costs with so many series. */
interface Cost {
  readonly micros: number;
  readonly heapKib: number;
}

/**
 * What the detectors cost: CPU microseconds per reading with 1, 300 and 5,000 series whose readings come in turn, and what each series has in
 * memory: its state, and all together as measured.
 */
export function anomalyBenchmark({ repeat }: { readonly repeat: number }): Result {
  const stateKib = headwaterDetector.newState().bytes.length / 1024;
  const costs = SERIES.map((series) => {
    const runs = Array.from({ length: repeat }, () => measured(headwaterDetector, series));
    const cost = {
      micros: median(runs.map(({ micros }) => micros)),
      heapKib: median(runs.map(({ heapKib }) => heapKib)),
    };
    console.log(
      `${series} series: ${rounded(cost.micros)} µs CPU per reading, ${rounded(cost.heapKib)} KiB each`,
    );
    return { series, ...cost };
  });
  return resultOf(stateKib, costs);
}

/** A day of a noisy wave, for as many kinds of series as there are waves: made before, so that it is not measured. */
function wavesOf(random: SimRandom): readonly Float64Array[] {
  return Array.from({ length: WAVES }, (_, wave) =>
    Float64Array.from(
      { length: DAY_READINGS },
      (_unused, at) => 20 + (wave % 8) * Math.sin((2 * Math.PI * at) / DAY_READINGS) + random.next(),
    ),
  );
}

function measured(detector: Detector, series: number): Cost {
  const waves = wavesOf(new SimRandom(1));
  const measuredReadings = Math.max(MEASURED_READINGS_MIN, Math.ceil(READINGS / series));
  collectGarbage();
  const before = process.memoryUsage();
  const states = Array.from({ length: series }, () => detector.newState());
  observe(detector, states, waves, 0, WARM_UP_READINGS);
  const startedAt = process.cpuUsage();
  observe(detector, states, waves, WARM_UP_READINGS, WARM_UP_READINGS + measuredReadings);
  const { user, system } = process.cpuUsage(startedAt);
  collectGarbage();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  return {
    micros: (user + system) / (measuredReadings * states.length),
    heapKib: bytes / states.length / 1024,
  };
}

/** Readings `from` to `to` of all series, a reading of each in turn. */
function observe(
  detector: Detector,
  states: readonly SeriesState[],
  waves: readonly Float64Array[],
  from: number,
  to: number,
): void {
  for (let number = from; number < to; number += 1) {
    for (const [index, state] of states.entries()) {
      const value = waves[index % WAVES]?.[(number + index) % DAY_READINGS] ?? 0;
      const timeMs = FAR_IN_THE_PAST_MS + number * INTERVAL_MS;
      detector.observe(state, { timeMs, value, sourceTimeMs: null });
    }
  }
}

function resultOf(stateKib: number, costs: readonly (Cost & { readonly series: number })[]): Result {
  const slowest = Math.max(...costs.map(({ micros }) => micros));
  // With one series only, what is measured is mostly what the engine keeps of its own.
  const heapKib = costs.at(-1)?.heapKib ?? Number.NaN;
  const broken: string[] = [];
  if (slowest > GOAL_MICROS) broken.push(`a reading takes ${rounded(slowest)} µs`);
  if (stateKib > GOAL_KIB) broken.push(`the state of a series has ${rounded(stateKib)} KiB`);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary:
      `goal ${GOAL_MICROS} µs per reading and ${GOAL_KIB} KiB per series, got ` +
      `${costs.map(({ series, micros }) => `${rounded(micros)} µs with ${series} series`).join(', ')}; ` +
      `${rounded(stateKib)} KiB of state, ${rounded(heapKib)} KiB in memory`,
    broken,
    figures: {
      ...Object.fromEntries(
        costs.map(({ series, micros }) => [
          `CPU microseconds per reading, ${series} series`,
          rounded(micros),
        ]),
      ),
      'state of a series, KiB': rounded(stateKib),
      'a series in memory, KiB': rounded(heapKib),
    },
  };
}
