import type { Alert } from '../../anomaly/alerts/alert.ts';
import type { ValueRange } from '../../anomaly/detection/finding.ts';
import type { Series } from '../../anomaly/series/series-table.ts';
import { isOpen } from '../alert-counts.ts';
import { type ListQuery, partOf } from './list-query.ts';

/** What is asked of detection about series. */
export interface SeriesDesk {
  /** All that are known, in the order of their names. */
  series(): readonly Series[];
  valueRange(series: Series): ValueRange;
  /** The value of a record of the topic as JSON or a plain number; null for what has no series. */
  decoded(topic: string, value: Uint8Array): Uint8Array | null;
  /** Alerts that are not normal. */
  list(): readonly Alert[];
}

/** A series as `GET /api/series` answers it. */
export interface SeriesJson {
  /** Names a series together with the partition. */
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  /** Where in the payload; empty for payloads that are just a number. */
  readonly path: string;
  readonly unit: string | null;
  /** Of the last reading in this run; null before it, and where it was no number. */
  readonly value: number | null;
  /** When that was, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** In this run. */
  readonly readings: number;
  /** The last values, the oldest first, null for what was no number. */
  readonly recent: readonly (number | null)[];
  /** How many alerts of it are open, and how severe the worst is. */
  readonly alerts: number;
  readonly severity: number | null;
}

/** What `GET /api/series` answers. */
export interface SeriesPage {
  /** How many there are. */
  readonly total: number;
  /** How many of them were asked for, those of other pages included. */
  readonly found: number;
  readonly series: readonly SeriesJson[];
}

/** Some series in the order of their names. */
export function seriesPage(desk: SeriesDesk, query: ListQuery): SeriesPage {
  const { total, found, items } = partOf(desk.series(), query, ({ subject }) => [subject.series]);
  const alerts = Map.groupBy(desk.list().filter(isOpen), ({ series }) => series);
  return {
    total,
    found,
    series: items.map((series) => seriesJson(series, alerts.get(series.subject.series) ?? [])),
  };
}

function seriesJson(series: Series, alerts: readonly Alert[]): SeriesJson {
  const { subject, topic, partition, key, path, recent, lastTimeMs } = series;
  return {
    name: subject.series,
    topic,
    partition,
    key,
    path,
    unit: subject.unit,
    value: finite(recent.last),
    timeMs: lastTimeMs,
    readings: recent.count,
    recent: recent.list().map(shortened),
    alerts: alerts.length,
    severity: alerts.length === 0 ? null : Math.max(...alerts.map(({ severity }) => severity)),
  };
}

/** More digits than a course of a few pixels can show would be most of the answer. */
const shortened = (value: number): number | null => finite(Number(value.toPrecision(5)));

/** JSON has no other numbers. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
