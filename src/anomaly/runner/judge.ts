import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { StoredRecord } from '../../core/record.ts';
import type { AlertBook } from '../alerts/alert-book.ts';
import type { SilenceTree, WatchedSeries } from '../alerts/silence-tree.ts';
import type { Finding } from '../detection/finding.ts';
import { readModelVerdict } from '../models/model-verdict.ts';
import { type Field, numbersIn } from '../series/payload.ts';
import type { Series, SeriesTable } from '../series/series-table.ts';
import type { Detection } from './detection.ts';
import type { Position } from './positions.ts';

export interface JudgeOptions {
  readonly table: SeriesTable;
  readonly detection: Detection;
  readonly book: AlertBook;
  readonly tree: SilenceTree;
  /** The value of a record of the topic as JSON or a plain number; null for what has no series. */
  readonly decoded: (topic: string, value: Uint8Array) => Uint8Array | null;
  /** Where the verdicts of other models are; null if nobody's are taken. */
  readonly verdictsTopic: string | null;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Looks at records: finds their readings, has the detectors judge them, and gives what they find to the book of alerts. */
export class Judge {
  readonly #options: JudgeOptions;
  #readings = 0;
  /** Those that are in the metrics. */
  #counted = 0;
  /** Since the last tick. */
  #toldOfRefusal = false;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Readings of this run, those that were only learned again included. */
  get readings(): number {
    return this.#readings;
  }

  /** Judges a record, received at this time by the monotonic clock; what is told already is only learned. */
  judge(position: Position, record: StoredRecord, heardMs: number): void {
    if (position.topic === this.#options.verdictsTopic) {
      if (record.offset >= position.told) this.#judgeVerdict(record);
      return;
    }
    if (record.value === null || (record.key?.length ?? 0) > limits.seriesKeyBytesMax) return;
    const value = this.#options.decoded(position.topic, record.value);
    if (value === null) return;
    const { sourceTimeMs, fields } = numbersIn(value);
    if (fields.length === 0) return;
    const key = record.key === null ? '' : textOf(record.key);
    for (const field of fields) this.#judgeField(position, record, { key, sourceTimeMs, heardMs, field });
  }

  /** From now on the series is missed when it is silent. */
  watch(series: Series): WatchedSeries {
    const { subject, lastTimeMs, nextOffset } = series;
    series.watched ??= this.#options.tree.add(subject, series, lastTimeMs, nextOffset);
    return series.watched;
  }

  #judgeField(
    position: Position,
    { offset, timestampMs }: StoredRecord,
    {
      key,
      sourceTimeMs,
      heardMs,
      field: { path, value },
    }: { key: string; sourceTimeMs: number | null; heardMs: number; field: Field },
  ): void {
    const { table, detection, book, tree } = this.#options;
    const series = table.use(position.series, key, path, heardMs);
    // What was saved may know it already.
    if (series === null || offset < series.nextOffset) return;
    this.#readings += 1;
    series.recent.add(value);
    const reading = { timeMs: timestampMs, value, sourceTimeMs };
    const findings = detection.observe(series.state, reading, series.settings);
    series.nextOffset = offset + 1;
    series.lastTimeMs = timestampMs;
    tree.heard(this.watch(series), timestampMs, offset + 1);
    if (offset < position.told) return;
    if (findings.length === 0 && book.isQuiet(series.subject)) return;
    this.#tell(series, { timeMs: timestampMs, value, offset }, findings);
  }

  #tell(
    series: Series,
    reading: { readonly timeMs: number; readonly value: number; readonly offset: number },
    findings: readonly Finding[],
  ): void {
    const value = Number.isFinite(reading.value) ? reading.value : null;
    this.#options.book.observe(series.subject, { ...reading, value }, findings);
  }

  #judgeVerdict(record: StoredRecord): void {
    const { book, logger, metrics } = this.#options;
    const read = readModelVerdict(record.value ?? new Uint8Array());
    if (!read.ok) {
      metrics.add('headwater_anomaly_model_verdicts_refused_total', 1);
      // Who sends nonsense sends it often.
      if (!this.#toldOfRefusal)
        logger.warn({ offset: record.offset }, `a verdict of a model is left out: ${read.reason}`);
      this.#toldOfRefusal = true;
      return;
    }
    const { model, series, timeMs, value, finding } = read.verdict;
    const reading = { timeMs: timeMs ?? record.timestampMs, value, offset: record.offset };
    const subject = { series, partition: null, unit: null };
    book.observe(subject, reading, finding === null ? [] : [finding], model);
  }

  /** Time has passed: looks of every series, silent for so long, whether it is missed. */
  tick(nowMs: number, silentMs: (series: Series) => number): void {
    const { table, detection, book, tree, metrics } = this.#options;
    metrics.add('headwater_anomaly_readings_total', this.#readings - this.#counted);
    this.#counted = this.#readings;
    this.#toldOfRefusal = false;
    for (const series of table) {
      // Of those of one name in several partitions the one that was heard last counts.
      if (series.watched === null || series.lastTimeMs < series.watched.lastHeardMs) continue;
      // By the clock of its readings, which the wall clock may have been set past.
      const silentAfterMs = detection.silentAfterMs(series.state, series.settings);
      tree.judge(series.watched, series.lastTimeMs + silentMs(series), silentAfterMs);
    }
    book.tick(nowMs, tree);
  }
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
