import { limits } from '../src/core/limits.ts';
import { type Cost, costOf } from './anomaly/cost.ts';
import { type Ingested, ingestedAt } from './anomaly/ingest.ts';
import { type SavedStates, savedInADay } from './anomaly/saved-states.ts';
import { headwaterDetector } from './eval/headwater-detector.ts';
import { median, type Result, rounded } from './result.ts';

const GOAL_MICROS = 5;
const GOAL_KIB = 12;
const SERIES = [1, 300, 5_000] as const;
const READINGS_PER_SECOND = 10_000;
/** Of the readings a second without detection. */
const GOAL_RATIO = 0.8;
/** Detection keeps up if no more than what comes in a second waits for it. */
const WAITING_MAX = READINGS_PER_SECOND;
/** A day saves what the configuration allows, and after a start an hour's worth more. */
const SAVED_SERIES = [300, 5_000] as const;

/** Medians of some runs, by name. */
function medians<Key extends string>(runs: readonly Readonly<Record<Key, number>>[], keys: readonly Key[]) {
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key]))])) as Record<
    Key,
    number
  >;
}

type CostWith = Cost & { readonly series: number };
type SavedWith = SavedStates & { readonly series: number };

interface BothWays {
  readonly on: Ingested;
  readonly off: Ingested;
}

/**
 * What detection costs: CPU of a reading with 1, 300 and 5,000 series whose readings come in turn, the memory of a series, what
 * a day of saved states writes to the card, and what is left of 10,000 readings a second by MQTT.
 */
export async function anomalyBenchmark({ repeat }: { readonly repeat: number }): Promise<Result> {
  const stateKib = headwaterDetector.newState().bytes.length / 1024;
  const costs: CostWith[] = SERIES.map((series) => {
    const runs = Array.from({ length: repeat }, () => costOf(series));
    const cost = medians(runs, ['micros', 'heapKib']);
    console.log(
      `${series} series: ${rounded(cost.micros)} µs CPU per reading, ${rounded(cost.heapKib)} KiB each`,
    );
    return { series, ...cost };
  });
  const saved: SavedWith[] = [];
  for (const series of SAVED_SERIES) {
    const day = { series, ...(await savedInADay(series)) };
    console.log(`${series} series: ${rounded(day.mebibytes)} MiB saved in a day, in ${day.saves} saves`);
    saved.push(day);
  }
  return resultOf({ stateKib, costs, saved, ingested: await ingestedBothWays(repeat) });
}

async function ingestedBothWays(repeat: number): Promise<BothWays> {
  const runs = { on: [] as Ingested[], off: [] as Ingested[] };
  for (let run = 1; run <= repeat; run += 1) {
    for (const way of ['off', 'on'] as const) {
      const ingested = await ingestedAt(READINGS_PER_SECOND, way === 'on');
      console.log(`${run}/${repeat} detection ${way}: ${described(ingested)}`);
      runs[way].push(ingested);
    }
  }
  const keys = ['perSecond', 'cpuPercent', 'waiting', 'rssMb'] as const;
  return { on: medians(runs.on, keys), off: medians(runs.off, keys) };
}

const described = ({ perSecond, cpuPercent, waiting, rssMb }: Ingested): string =>
  `${Math.round(perSecond)} readings/s, ${Math.round(cpuPercent)} % of a core, ${Math.round(rssMb)} MB, ${waiting} not judged yet`;

interface Measured {
  readonly stateKib: number;
  readonly costs: readonly CostWith[];
  readonly saved: readonly SavedWith[];
  readonly ingested: BothWays;
}

function resultOf({ stateKib, costs, saved, ingested: { on, off } }: Measured): Result {
  const slowest = Math.max(...costs.map(({ micros }) => micros));
  // With few series, what is measured is mostly what the engine keeps of its own.
  const heapKib = costs.at(-1)?.heapKib ?? Number.NaN;
  const ratio = on.perSecond / off.perSecond;
  const mostSaved = Math.max(...saved.map(({ mebibytes }) => mebibytes));
  const savedMax = limits.stateBytesPerDayDefault / 2 ** 20;
  const broken: string[] = [];
  if (slowest > GOAL_MICROS) broken.push(`a reading takes ${rounded(slowest)} µs`);
  if (heapKib > GOAL_KIB) broken.push(`a series takes ${rounded(heapKib)} KiB`);
  if (ratio < GOAL_RATIO) broken.push(`of the readings a second, ${rounded(ratio)} are left`);
  if (mostSaved > savedMax + savedMax / 24) broken.push(`a day saves ${rounded(mostSaved)} MiB`);
  if (on.waiting > WAITING_MAX) broken.push(`${on.waiting} readings wait for detection`);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary:
      `goal ${GOAL_MICROS} µs per reading, ${GOAL_KIB} KiB per series and ${GOAL_RATIO} of ${READINGS_PER_SECOND} readings/s, got ` +
      `${costs.map(({ series, micros }) => `${rounded(micros)} µs with ${series} series`).join(', ')}; ` +
      `${rounded(stateKib)} KiB of state, ${rounded(heapKib)} KiB in memory; ${rounded(ratio)} ` +
      `(${Math.round(on.perSecond)} and without detection ${Math.round(off.perSecond)}/s, ${Math.round(on.cpuPercent)} and ` +
      `${Math.round(off.cpuPercent)} % of a core); at most ${rounded(mostSaved)} of ${savedMax} MiB saved a day`,
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
      ...Object.fromEntries(
        saved.map(({ series, mebibytes }) => [`saved a day, MiB, ${series} series`, rounded(mebibytes)]),
      ),
      'readings per second': Math.round(on.perSecond),
      'readings per second without detection': Math.round(off.perSecond),
      'CPU, percent of a core': rounded(on.cpuPercent),
      'CPU without detection, percent of a core': rounded(off.cpuPercent),
      'RSS, MB': rounded(on.rssMb),
      'RSS without detection, MB': rounded(off.rssMb),
    },
  };
}
