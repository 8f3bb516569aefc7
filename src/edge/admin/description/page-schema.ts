import type { ValueRange } from '../../../anomaly/detection/finding.ts';
import type { NewestRecord } from '../newest-records.ts';
import type { PageFrame } from '../page-frame.ts';
import type { Anomaly, SeriesHistory } from '../series-history.ts';
import type { SeriesJson, SeriesPage } from '../series-list.ts';
import { alertSchema } from './alert-schema.ts';
import {
  count,
  flag,
  listOf,
  mapOf,
  nullable,
  numeric,
  objectOf,
  type Schema,
  text,
  timeMs,
} from './json-schema.ts';
import { statusSchema } from './status-schema.ts';

/** The answer of `GET /api/events`: a {@link PageFrame} in each event. */
export const framesSchema: Schema = {
  description: 'Server-sent events, about one a second; the data of each is a JSON object.',
  content: {
    'text/event-stream': {
      schema: objectOf<PageFrame>({
        nowMs: timeMs,
        status: statusSchema,
        accepted: mapOf(count),
        alerts: nullable(listOf(alertSchema)),
      }),
    },
  },
};

/** The JSON schema of a {@link SeriesPage}. */
export const seriesPageSchema: Schema = objectOf<SeriesPage>({
  total: count,
  found: count,
  series: listOf(
    objectOf<SeriesJson>({
      name: text,
      topic: text,
      partition: count,
      key: text,
      path: text,
      unit: nullable(text),
      value: nullable(numeric),
      timeMs,
      readings: count,
      recent: listOf(nullable(numeric)),
      alerts: count,
      severity: nullable(count),
    }),
  ),
});

/** The JSON schema of a {@link SeriesHistory}. */
export const seriesHistorySchema: Schema = objectOf<SeriesHistory>({
  name: text,
  unit: nullable(text),
  points: listOf({ type: 'array', prefixItems: [timeMs, numeric], minItems: 2, maxItems: 2 }),
  readings: count,
  fromMs: timeMs,
  isCut: flag,
  range: objectOf<ValueRange>({ low: nullable(numeric), high: nullable(numeric) }),
  anomalies: listOf(
    objectOf<Anomaly>({
      id: text,
      kind: text,
      severity: count,
      startedMs: timeMs,
      clearedMs: nullable(timeMs),
      isOpen: flag,
      message: text,
    }),
  ),
});

/** The JSON schema of the answer of `GET /api/topics/NAME/newest`. */
export const newestRecordsSchema: Schema = objectOf<{ topic: string; records: object }>({
  topic: text,
  records: listOf(
    objectOf<NewestRecord>({
      partition: count,
      offset: count,
      timestampMs: timeMs,
      key: nullable(text),
      valueBase64: nullable(text),
      valueLength: count,
      headers: listOf(objectOf<NewestRecord['headers'][number]>({ name: text, value: nullable(text) })),
    }),
  ),
});
