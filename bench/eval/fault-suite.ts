import type { FindingKind } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';
import type { SeriesState } from '../../src/anomaly/detection/series-state.ts';
import type { Random } from '../../src/core/random.ts';
import { median } from '../result.ts';
import { AlertTracker } from './alert-tracker.ts';
import { type Detector, isLearned, isRule, readingOf } from './detector.ts';
import {
  FAULT_READINGS,
  type FaultType,
  faultTypes,
  GRACE_READINGS,
  injected,
  type Place,
  type RangeKind,
  usualOf,
} from './fault-injection.ts';
import type { LabelledSeries } from './nab-corpus.ts';

const WEEK_MS = 7 * 24 * 3600 * 1000;

/** How a type of fault fares. Shares are of all faults of the type. */
export interface FaultOutcome {
  readonly type: FaultType;
  readonly faults: number;
  readonly caughtByAny: number;
  readonly caughtByRules: number;
  readonly caughtByLearned: number;
  /** Readings from the first of the fault, which is 0, to the first alert; NaN if no fault was caught. */
  readonly medianReadings: number;
  /** The share that alerts of each kind caught, the largest first. */
  readonly kinds: readonly (readonly [kind: FindingKind, share: number])[];
}

/** What was said of clean readings. */
export interface FalseAlerts {
  readonly series: string;
  readonly weeks: number;
  /** How many alerts of each kind were raised outside of labelled windows. */
  readonly alerts: ReadonlyMap<FindingKind, number>;
}

/** What was raised in a series as it is. */
interface CleanRun {
  readonly readings: readonly Reading[];
  /** The alerts raised at each reading. */
  readonly raised: readonly ReadonlySet<FindingKind>[];
  /** What was known before the row of each place. */
  readonly knownAt: ReadonlyMap<number, Known>;
}

/** All that is known of a series. */
class Known {
  readonly #detector: Detector;
  readonly #state: SeriesState;
  readonly #alerts: AlertTracker;

  constructor(detector: Detector, alerts = new AlertTracker()) {
    this.#detector = detector;
    this.#state = detector.newState();
    this.#alerts = alerts;
  }

  /** The same, which goes on from here by itself. */
  copy(): Known {
    const copy = new Known(this.#detector, this.#alerts.copy());
    copy.#state.bytes.set(this.#state.bytes);
    return copy;
  }

  /** The kinds of the alerts that a reading raises. */
  observe(reading: Reading): ReadonlySet<FindingKind> {
    return this.#alerts.observe(reading, this.#detector.observe(this.#state, reading));
  }
}

function runClean(detector: Detector, { rows }: LabelledSeries, stops: ReadonlySet<number>): CleanRun {
  const known = new Known(detector);
  const knownAt = new Map<number, Known>();
  const readings = rows.map(readingOf);
  const raised = readings.map((reading, row) => {
    if (stops.has(row)) knownAt.set(row, known.copy());
    return known.observe(reading);
  });
  return { readings, raised, knownAt };
}

/** When each kind was first raised, in readings from the beginning of the fault. A kind that is raised there without the fault, too, does not count. */
function caught(run: CleanRun, row: number, faulty: readonly Reading[]): Map<FindingKind, number> {
  const anyway = new Set(
    run.raised.slice(row, row + FAULT_READINGS + GRACE_READINGS).flatMap((kinds) => [...kinds]),
  );
  const known = run.knownAt.get(row)?.copy();
  const first = new Map<FindingKind, number>();
  for (const [at, reading] of faulty.entries()) {
    for (const kind of known?.observe(reading) ?? []) {
      if (!anyway.has(kind) && !first.has(kind)) first.set(kind, at);
    }
  }
  return first;
}

function falseAlerts({ name, rows, windows }: LabelledSeries, { raised }: CleanRun): FalseAlerts {
  const alerts = new Map<FindingKind, number>();
  for (const [row, kinds] of raised.entries()) {
    if (windows.some(({ first, last }) => row >= first && row <= last)) continue;
    for (const kind of kinds) alerts.set(kind, (alerts.get(kind) ?? 0) + 1);
  }
  const lasting = (first: number, last: number): number =>
    (rows[last]?.timeMs ?? 0) - (rows[first]?.timeMs ?? 0);
  const labelledMs = windows.reduce((sum, { first, last }) => sum + lasting(first, last), 0);
  return { series: name, weeks: (lasting(0, rows.length - 1) - labelledMs) / WEEK_MS, alerts };
}

function outcomeOf(type: FaultType, found: readonly ReadonlyMap<FindingKind, number>[]): FaultOutcome {
  const share = (isCounted: (kind: FindingKind) => boolean): number =>
    found.filter((kinds) => [...kinds.keys()].some(isCounted)).length / found.length;
  const first = found.map((kinds) => Math.min(...kinds.values())).filter(Number.isFinite);
  const all = [...new Set(found.flatMap((kinds) => [...kinds.keys()]))];
  return {
    type,
    faults: found.length,
    caughtByAny: share((kind) => isLearned(kind) || isRule(kind)),
    caughtByRules: share(isRule),
    caughtByLearned: share(isLearned),
    medianReadings: median(first),
    kinds: all.map((kind) => [kind, share((other) => other === kind)] as const).sort((a, b) => b[1] - a[1]),
  };
}

/**
 * Injects each type of fault at each place, as large as that kind of range makes it, and tells which alerts that raised; and those
 * that all series raise as they are.
 */
export function faultSuite(
  detector: Detector,
  series: readonly LabelledSeries[],
  places: readonly Place[],
  range: RangeKind,
  random: Random,
): { readonly faults: readonly FaultOutcome[]; readonly falseAlerts: readonly FalseAlerts[] } {
  const found = new Map<FaultType, ReadonlyMap<FindingKind, number>[]>(faultTypes.map((type) => [type, []]));
  const alerts: FalseAlerts[] = [];
  for (const one of series) {
    const rows = places.filter((place) => place.series === one).map(({ row }) => row);
    const run = runClean(detector, one, new Set(rows));
    alerts.push(falseAlerts(one, run));
    for (const row of rows) {
      const usual = usualOf(run.readings.slice(0, row), range);
      const clean = run.readings.slice(row);
      for (const type of faultTypes) {
        const faulty = injected(type, usual, clean, random);
        found.get(type)?.push(caught(run, row, faulty));
      }
    }
  }
  return { faults: [...found].map(([type, outcomes]) => outcomeOf(type, outcomes)), falseAlerts: alerts };
}
