import type { AlertJson } from '../../../anomaly/alerts/verdict.ts';
import type { Expected } from '../../../anomaly/detection/finding.ts';
import {
  count,
  flag,
  listOf,
  nullable,
  numeric,
  objectOf,
  oneOfTexts,
  type Schema,
  text,
  timeMs,
} from './json-schema.ts';

/** The JSON schema of an {@link AlertJson}. */
export const alertSchema: Schema = objectOf<AlertJson>({
  id: text,
  series: text,
  partition: nullable(count),
  unit: nullable(text),
  topic: nullable(text),
  message: text,
  kind: text,
  model: nullable(text),
  firstOffset: numeric,
  state: oneOfTexts(['pending', 'active', 'clearing', 'cleared']),
  severity: count,
  score: numeric,
  value: nullable(numeric),
  expected: nullable(objectOf<Expected>({ value: numeric, low: numeric, high: numeric })),
  rarity: nullable(text),
  words: listOf(text),
  isWarmingUp: flag,
  startedMs: timeMs,
  detectedMs: nullable(timeMs),
  clearedMs: nullable(timeMs),
  suppressed: count,
  acknowledgedMs: nullable(timeMs),
  acknowledgedBy: nullable(text),
  shelvedUntilMs: nullable(timeMs),
});

/** The JSON schema of the answer of `GET /api/alerts`. */
export const alertListSchema: Schema = objectOf<{ alerts: object; heldBack: number }>({
  alerts: listOf(alertSchema),
  heldBack: count,
});
