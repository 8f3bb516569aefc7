import type { PortEventJson } from '../port-event-json.ts';
import {
  count,
  listOf,
  nullable,
  objectOf,
  oneOfTexts,
  optional,
  type Schema,
  text,
  timeMs,
} from './json-schema.ts';

interface HeaderJson {
  readonly name: string;
  readonly value?: string;
  readonly valueBase64?: string;
}

interface RecordJson {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key?: string | null;
  readonly keyBase64?: string;
  readonly value?: string | null;
  readonly valueBase64?: string;
  readonly headers: readonly HeaderJson[];
}

/** The JSON schema of a record as one line of `GET /api/records`. */
export const recordSchema: Schema = objectOf<RecordJson>({
  topic: text,
  partition: count,
  offset: count,
  timestampMs: timeMs,
  key: optional(nullable(text)),
  keyBase64: optional(text),
  value: optional(nullable(text)),
  valueBase64: optional(text),
  headers: listOf(objectOf<HeaderJson>({ name: text, value: optional(text), valueBase64: optional(text) })),
});

/** The JSON schema of a {@link PortEventJson}. */
export const portEventSchema: Schema = objectOf<PortEventJson>({
  kind: oneOfTexts(['state', 'received', 'sent', 'not-sent', 'frame', 'bad-frame', 'missed']),
  atMs: timeMs,
  state: optional(oneOfTexts(['opening', 'open', 'stalled', 'lost'])),
  device: optional(nullable(text)),
  hex: optional(text),
  value: optional(text),
  valueHex: optional(text),
  problem: optional(text),
  count: optional(count),
});

/** Lines of JSON objects, as an answer of a route. */
export const linesSchema = (schema: Schema): Schema => ({
  description: 'One JSON object a line, as they come.',
  content: { 'application/x-ndjson': { schema } },
});
