import type { FindingKind } from '../../src/anomaly/detection/finding.ts';
import { type Sensitivity, sensitivities } from '../../src/anomaly/detection/reading.ts';
import { SimRandom } from '../../test/support/sim-random.ts';
import { type Result, rounded } from '../result.ts';
import { type Detector, isLearned, isRule, type Scorer } from './detector.ts';
import { type FaultType, faultTypes, placesIn, type RangeKind } from './fault-injection.ts';
import { type FalseAlerts, type FaultOutcome, faultSuite } from './fault-suite.ts';
import { detectorOf, headwaterDetector, scorerWithRules } from './headwater-detector.ts';
import type { LabelledCorpus, LabelledSeries } from './nab-corpus.ts';
import { corpusScoredBy, type NabReport, reportOf, scoresOf } from './nab-report.ts';
import { clockScores, movingAverage, oracleScores } from './references.ts';

/** Of each type. */
const FAULTS = 81;
const SEED = 1;
const FALSE_ALERTS_PER_WEEK_GOAL = 1;

const one = (value: number): string => value.toFixed(1);
const percent = (share: number): number => Math.round(100 * share);

/** Columns, the first to the left and the others to the right. */
function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  }
  console.log('');
}

type Scores = (series: LabelledSeries) => ArrayLike<number>;

function reportsOf({ series, profiles }: LabelledCorpus, scores: Scores): readonly NabReport[] {
  const corpus = corpusScoredBy(series, scores);
  return [...profiles].map(([name, profile]) => reportOf(corpus, name, profile, new SimRandom(SEED)));
}

function printReports(
  ours: readonly NabReport[],
  references: ReadonlyMap<string, readonly NabReport[]>,
): void {
  console.log(
    'Score of the Numenta Anomaly Benchmark: 0 is no alarm at all, 100 perfect; one threshold for all files\n',
  );
  printTable(
    ['', ...ours.map(({ profile }) => profile)],
    [...references].map(([name, reports]) => [name, ...reports.map(({ normalized }) => one(normalized))]),
  );
  printTable(
    [
      'profile',
      'score',
      '90 % of resampled files',
      'threshold',
      'each folder by the threshold of the others',
    ],
    ours.map(({ profile, normalized, spread, threshold, transferred }) => [
      profile,
      one(normalized),
      `${one(spread.low)} to ${one(spread.high)}`,
      threshold.toFixed(4),
      one(transferred),
    ]),
  );
  const parts = ours.map(({ folders, files }) => [...folders, ...files]);
  printTable(
    ['folder or file', 'windows', ...ours.map(({ profile }) => profile)],
    (parts[0] ?? []).map(({ name, windows }, at) => [
      name,
      `${windows}`,
      ...parts.map((all) => {
        const part = all[at];
        return part?.normalized == null ? `${(part?.raw ?? 0).toFixed(2)} points` : one(part.normalized);
      }),
    ]),
  );
}

const rangeWords: Readonly<Record<RangeKind, string>> = {
  usual: 'the range in which 98 of 100 readings were before',
  whole: 'the range from the lowest to the highest reading before',
};

function printFaults(faults: readonly FaultOutcome[], range: RangeKind): void {
  console.log(
    `Sensor faults, ${FAULTS} of each type, as large as ${rangeWords[range]} makes them, injected where nothing is labelled: percent that raised an alert\n`,
  );
  printTable(
    ['fault', 'by any', 'by rules', 'by learned', 'median readings to it', 'by kind'],
    faults.map(({ type, caughtByAny, caughtByRules, caughtByLearned, medianReadings, kinds }) => [
      type,
      ...[caughtByAny, caughtByRules, caughtByLearned].map((share) => `${percent(share)}`),
      Number.isNaN(medianReadings) ? '-' : `${medianReadings}`,
      kinds.map(([kind, share]) => `${kind} ${percent(share)}`).join(', '),
    ]),
  );
}

/** False alerts of a kind: per series and week, over all series together; and the worst of them. */
export function perWeek(falseAlerts: readonly FalseAlerts[], isCounted: (kind: FindingKind) => boolean) {
  let total = 0;
  let weeks = 0;
  let worst = { series: '', perWeek: 0 };
  for (const { series, weeks: lasting, alerts } of falseAlerts) {
    const count = [...alerts].reduce((sum, [kind, times]) => sum + (isCounted(kind) ? times : 0), 0);
    total += count;
    weeks += lasting;
    if (count / lasting > worst.perWeek) worst = { series, perWeek: count / lasting };
  }
  return { mean: total / weeks, worst };
}

function printFalseAlerts(falseAlerts: readonly FalseAlerts[]): void {
  const kinds = [...new Set(falseAlerts.flatMap(({ alerts }) => [...alerts.keys()]))];
  console.log('False alerts on the series as they are, outside of labelled windows, warm-up included\n');
  printTable(
    ['kind', 'per series and week', 'the worst series'],
    kinds.map((kind) => {
      const { mean, worst } = perWeek(falseAlerts, (other) => other === kind);
      return [kind, mean.toFixed(2), `${one(worst.perWeek)} ${worst.series}`];
    }),
  );
}

/** Scores our detectors on the benchmark and with injected faults, prints both, and gives the summary. */
export function evaluate(corpus: LabelledCorpus): Result {
  const detector = headwaterDetector;
  const scored = (newScorer: () => Scorer): readonly NabReport[] =>
    reportsOf(corpus, (series) => scoresOf(newScorer(), series));
  const ours = scored(detector.newScorer);
  const references = new Map([
    ['an oracle, at the labelled instants', reportsOf(corpus, oracleScores)],
    [detector.name, ours],
    ['the same, and 1 where a rule alerts', scored(scorerWithRules)],
    ['distance from a moving average', scored(movingAverage.newScorer)],
    ['a clock, every 600 readings', reportsOf(corpus, clockScores)],
  ]);
  printReports(ours, references);
  const places = placesIn(corpus.series, FAULTS, new SimRandom(SEED));
  const suite = (from: Detector, range: RangeKind) =>
    faultSuite(from, corpus.series, places, range, new SimRandom(SEED));
  const { faults, falseAlerts } = suite(detector, 'usual');
  const whole = suite(detector, 'whole').faults;
  printFaults(faults, 'usual');
  printFaults(whole, 'whole');
  printTradeOff(sensitivities.map((one) => ({ sensitivity: one, ...suite(detectorOf(one), 'usual') })));
  printFalseAlerts(falseAlerts);
  return resultOf(ours, faults, whole, falseAlerts);
}

interface Traded {
  readonly sensitivity: Sensitivity;
  readonly faults: readonly FaultOutcome[];
  readonly falseAlerts: readonly FalseAlerts[];
}

/** What is found more, and told falsely more, with another sensitivity. */
function printTradeOff(traded: readonly Traded[]): void {
  console.log(
    'What the setting `sensitivity` trades: percent caught by any, and false alerts per series and week\n',
  );
  printTable(
    ['sensitivity', ...faultTypes, 'false, learned', 'false, rules'],
    traded.map(({ sensitivity, faults, falseAlerts }) => [
      sensitivity,
      ...faults.map(({ caughtByAny }) => `${percent(caughtByAny)}`),
      ...[isLearned, isRule].map((isCounted) => perWeek(falseAlerts, isCounted).mean.toFixed(2)),
    ]),
  );
}

function resultOf(
  reports: readonly NabReport[],
  faults: readonly FaultOutcome[],
  whole: readonly FaultOutcome[],
  falseAlerts: readonly FalseAlerts[],
): Result {
  const learned = perWeek(falseAlerts, isLearned).mean;
  const broken =
    learned > FALSE_ALERTS_PER_WEEK_GOAL
      ? [`${learned.toFixed(2)} false learned alerts per series and week`]
      : [];
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  const caught = (type: FaultType): number =>
    percent(faults.find((fault) => fault.type === type)?.caughtByAny ?? Number.NaN);
  return {
    summary:
      `goal at most ${FALSE_ALERTS_PER_WEEK_GOAL} false learned alert per series and week, got ${learned.toFixed(2)}; ` +
      `NAB ${reports.map(({ profile, normalized }) => `${profile} ${one(normalized)}`).join(', ')}; ` +
      `faults caught, percent: ${faults.map(({ type }) => `${type} ${caught(type)}`).join(', ')}`,
    broken,
    figures: {
      ...Object.fromEntries(
        reports.map(({ profile, normalized }) => [`NAB, ${profile}`, rounded(normalized)]),
      ),
      'false learned alerts per series and week': rounded(learned),
      'false alerts of rules per series and week': rounded(perWeek(falseAlerts, isRule).mean),
      ...Object.fromEntries(
        whole.map(({ type, caughtByAny }) => [
          `${type}, by the whole range, caught, percent`,
          percent(caughtByAny),
        ]),
      ),
      ...Object.fromEntries(
        faults.flatMap(({ type, caughtByAny, caughtByRules, caughtByLearned, medianReadings }) => [
          [`${type}, caught, percent`, percent(caughtByAny)],
          [`${type}, caught by rules, percent`, percent(caughtByRules)],
          [`${type}, caught by learned views, percent`, percent(caughtByLearned)],
          ...(Number.isNaN(medianReadings)
            ? []
            : [[`${type}, median readings to the alert`, medianReadings] as const]),
        ]),
      ),
    },
  };
}
