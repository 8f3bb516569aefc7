import type { SeriesState } from '../../src/anomaly/detection/series-state.ts';
import { collectGarbage } from '../../test/support/collect-garbage.ts';
import { SimRandom } from '../../test/support/sim-random.ts';
import { headwaterDetector } from '../eval/headwater-detector.ts';

/** Of all series together; at least so many of each that none is measured while it is warming up. */
const READINGS = 300_000;
const WARM_UP_READINGS = 400;
const MEASURED_READINGS_MIN = 60;
const INTERVAL_MS = 60_000;
const DAY_READINGS = 1440;
const FAR_IN_THE_PAST_MS = 1_700_000_000_000;
const WAVES = 64;

/** What detection costs. */
export interface Cost {
  /** CPU of one reading. */
  readonly micros: number;
  /** Of one series, all that it has in memory. */
  readonly heapKib: number;
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

/** Lets the detectors see so many series, whose readings come in turn. */
export function costOf(series: number): Cost {
  const waves = wavesOf(new SimRandom(1));
  const measuredReadings = Math.max(MEASURED_READINGS_MIN, Math.ceil(READINGS / series));
  collectGarbage();
  const before = process.memoryUsage();
  const states = Array.from({ length: series }, () => headwaterDetector.newState());
  observe(states, waves, 0, WARM_UP_READINGS);
  const startedAt = process.cpuUsage();
  observe(states, waves, WARM_UP_READINGS, WARM_UP_READINGS + measuredReadings);
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
  states: readonly SeriesState[],
  waves: readonly Float64Array[],
  from: number,
  to: number,
): void {
  for (let number = from; number < to; number += 1) {
    for (const [index, state] of states.entries()) {
      const value = waves[index % WAVES]?.[(number + index) % DAY_READINGS] ?? 0;
      const timeMs = FAR_IN_THE_PAST_MS + number * INTERVAL_MS;
      headwaterDetector.observe(state, { timeMs, value, sourceTimeMs: null });
    }
  }
}
