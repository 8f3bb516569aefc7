import { type AlertJson, alertJson } from '../../anomaly/alerts/verdict.ts';
import type { ValueRange } from '../../anomaly/detection/finding.ts';
import { numbersIn } from '../../anomaly/series/payload.ts';
import type { Series } from '../../anomaly/series/series-table.ts';
import { limits } from '../../core/limits.ts';
import { anomaliesTopicName } from '../../core/topic-name.ts';
import { scanRecords } from './record-scan.ts';
import type { RecordLog } from './record-stream.ts';
import type { SeriesDesk } from './series-list.ts';
import { fewerPoints, type Point } from './series-points.ts';

/** A stretch of time in which something was wrong with a series. */
export interface Anomaly {
  /** Of its alert. */
  readonly id: string;
  readonly kind: string;
  readonly severity: number;
  readonly startedMs: number;
  /** Null while it goes on, and for one that is only noted. */
  readonly clearedMs: number | null;
  readonly isOpen: boolean;
  readonly message: string;
}

/** What `GET /api/series/history` answers. */
export interface SeriesHistory {
  readonly name: string;
  readonly unit: string | null;
  /** The oldest first, and fewer than there were if these are too many; then the smallest and largest of each stretch. */
  readonly points: readonly Point[];
  /** Of how many readings. */
  readonly readings: number;
  /** From when on they were looked for; later than asked for if `isCut`: there are too many records to look through. */
  readonly fromMs: number;
  readonly isCut: boolean;
  /** Beyond which a value is told as out of range, as of now. */
  readonly range: ValueRange;
  readonly anomalies: readonly Anomaly[];
}

/** Reads what the log holds of a series since a time, and what was wrong with it. */
export async function seriesHistory(
  log: RecordLog,
  desk: SeriesDesk,
  series: Series,
  fromMs: number,
): Promise<SeriesHistory> {
  const { points, isCut } = await readPoints(log, desk, series, fromMs);
  const startMs = isCut ? (points[0]?.[0] ?? fromMs) : fromMs;
  return {
    name: series.subject.series,
    unit: series.subject.unit,
    points: fewerPoints(points, limits.historyPointsMax),
    readings: points.length,
    fromMs: startMs,
    isCut,
    range: desk.valueRange(series),
    anomalies: await readAnomalies(log, desk, series.subject.series, startMs),
  };
}

async function readPoints(
  log: RecordLog,
  desk: SeriesDesk,
  { topic, partition, key, path }: Series,
  fromMs: number,
): Promise<{ readonly points: Point[]; readonly isCut: boolean }> {
  const points: Point[] = [];
  const keyBytes = Buffer.from(key);
  const wanted = await log.offsetForTime(topic, partition, fromMs);
  const isCut = await scanRecords(
    log,
    { topic, partition, from: wanted, recordsMax: limits.historyRecordsMax },
    (record) => {
      if (record.value === null || !keyBytes.equals(record.key ?? new Uint8Array())) return;
      const value = desk.decoded(topic, record.value);
      const field = value === null ? undefined : numbersIn(value).fields.find((one) => one.path === path);
      if (field !== undefined && Number.isFinite(field.value)) points.push([record.timestampMs, field.value]);
    },
  );
  // Stamps may go back where the clock was set.
  points.sort(([one], [other]) => one - other);
  return { points, isCut };
}

/** What the topic `anomalies` tells of the series since then, and the alerts that are open now, whenever they began. */
async function readAnomalies(
  log: RecordLog,
  desk: SeriesDesk,
  name: string,
  fromMs: number,
): Promise<readonly Anomaly[]> {
  const found = new Map<string, Anomaly>();
  const take = (alert: AlertJson, isOpen: boolean): void => {
    if (alert.series === name) found.set(alert.id, anomalyOf(alert, isOpen));
  };
  for (const { partition } of log.partitions().filter(({ topic }) => topic === anomaliesTopicName)) {
    const from = await log.offsetForTime(anomaliesTopicName, partition, fromMs);
    const range = { topic: anomaliesTopicName, partition, from, recordsMax: limits.historyVerdictsMax };
    await scanRecords(log, range, ({ value }) => {
      const verdict = verdictIn(value);
      if (verdict !== null) take(verdict, false);
    });
  }
  for (const alert of desk.list())
    if (alert.state === 'active' || alert.state === 'clearing') take(alertJson(alert), true);
  return [...found.values()].sort((one, other) => one.startedMs - other.startedMs);
}

const anomalyOf = (
  { id, kind, severity, startedMs, clearedMs, message }: AlertJson,
  isOpen: boolean,
): Anomaly => ({ id, kind, severity, startedMs, clearedMs, isOpen, message });

/** The alert of a record of the topic `anomalies`; null for others, such as those that tell of a flood. */
function verdictIn(value: Uint8Array | null): AlertJson | null {
  if (value === null) return null;
  try {
    const verdict = JSON.parse(Buffer.from(value).toString()) as Partial<AlertJson>;
    return typeof verdict.id === 'string' && typeof verdict.startedMs === 'number'
      ? (verdict as AlertJson)
      : null;
  } catch {
    return null;
  }
}
