import { type FindingKind, findingKinds } from '../detection/finding.ts';
import { type Alert, alertStates, beginningAlert } from './alert.ts';
import type { AlertLife } from './alert-machine.ts';

/*
 * What the log keeps of an alert: a byte with the version of the form, then a JSON array in UTF-8. A pending one has the first
 * ten fields only: what was found at its readings does not matter before it is raised.
 */

const VERSION = 1;

type Beginning = readonly [
  series: string,
  partition: number | null,
  unit: string | null,
  kind: FindingKind,
  model: string | null,
  firstOffset: number,
  startedMs: number,
  shelvedUntilMs: number | null,
  suppressed: number,
  foundBits: number,
];

type Rest = readonly [
  state: number,
  severity: number,
  score: number,
  value: number | null,
  expected: readonly [value: number, low: number, high: number] | null,
  rarity: string | null,
  words: readonly string[],
  isWarmingUp: boolean,
  detectedMs: number | null,
  clearedMs: number | null,
  acknowledgedMs: number | null,
  acknowledgedBy: string | null,
  quietReadings: number,
  quietSinceMs: number,
  isTold: boolean,
];

type Test = (field: unknown) => boolean;

const isText: Test = (field) => typeof field === 'string';
const isNumber: Test = (field) => typeof field === 'number' && Number.isFinite(field);
const isFlag: Test = (field) => typeof field === 'boolean';
const isListOf =
  (test: Test): Test =>
  (field) =>
    Array.isArray(field) && field.every(test);
const orNull =
  (test: Test): Test =>
  (field) =>
    field === null || test(field);

/** Of the fields in their order: a {@link Beginning}, and a {@link Rest}. */
const beginningTests: readonly Test[] = [
  isText,
  orNull(isNumber),
  orNull(isText),
  (field) => findingKinds.some((kind) => kind === field),
  orNull(isText),
  isNumber,
  isNumber,
  orNull(isNumber),
  isNumber,
  isNumber,
];
const restTests: readonly Test[] = [
  (field) => isNumber(field) && alertStates[field as number] !== undefined,
  isNumber,
  isNumber,
  orNull(isNumber),
  orNull((field) => isListOf(isNumber)(field) && (field as readonly number[]).length === 3),
  orNull(isText),
  isListOf(isText),
  isFlag,
  orNull(isNumber),
  orNull(isNumber),
  orNull(isNumber),
  orNull(isText),
  isNumber,
  isNumber,
  isFlag,
];

/** What was read from bytes, or why it could not be, in words. */
export type ReadLife =
  | { readonly ok: true; readonly life: AlertLife }
  | { readonly ok: false; readonly reason: string };

/** An alert as bytes, `limits.alertMemoBytesMax` at most with its key. */
export function encodeLife({ alert, foundBits, quietReadings, quietSinceMs, isTold }: AlertLife): Uint8Array {
  const { series, partition, unit, kind, model, firstOffset, startedMs, shelvedUntilMs, suppressed } = alert;
  const place = [series, partition, unit, kind, model, firstOffset] as const;
  const beginning: Beginning = [...place, startedMs, shelvedUntilMs, suppressed, foundBits];
  const { expected } = alert;
  const rest: Rest = [
    alertStates.indexOf(alert.state),
    alert.severity,
    alert.score,
    alert.value,
    expected === null ? null : [expected.value, expected.low, expected.high],
    alert.rarity,
    alert.words,
    alert.isWarmingUp,
    alert.detectedMs,
    alert.clearedMs,
    alert.acknowledgedMs,
    alert.acknowledgedBy,
    quietReadings,
    quietSinceMs,
    isTold,
  ];
  const text = JSON.stringify(alert.state === 'pending' ? beginning : [...beginning, ...rest]);
  return Buffer.concat([Uint8Array.of(VERSION), Buffer.from(text)]);
}

/** The reverse of {@link encodeLife}. */
export function decodeLife(bytes: Uint8Array): ReadLife {
  if (bytes[0] !== VERSION)
    return { ok: false, reason: `its version is ${bytes[0]}, and this release reads ${VERSION}` };
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(1)));
  } catch {
    return { ok: false, reason: 'it is not JSON' };
  }
  const life = Array.isArray(fields) ? readLife(fields) : null;
  return life === null ? { ok: false, reason: 'its fields are not those of an alert' } : { ok: true, life };
}

function readLife(fields: readonly unknown[]): AlertLife | null {
  const head = fields.slice(0, beginningTests.length);
  const tail = fields.slice(beginningTests.length);
  if (!fits(head, beginningTests)) return null;
  const pending = pendingLife(head as unknown as Beginning);
  if (tail.length === 0) return pending;
  return fits(tail, restTests) ? openLife(pending, tail as unknown as Rest) : null;
}

const fits = (fields: readonly unknown[], tests: readonly Test[]): boolean =>
  fields.length === tests.length && tests.every((test, index) => test(fields[index]));

function pendingLife(fields: Beginning): AlertLife {
  const [
    series,
    partition,
    unit,
    kind,
    model,
    firstOffset,
    startedMs,
    shelvedUntilMs,
    suppressed,
    foundBits,
  ] = fields;
  const beginning = beginningAlert({ series, partition, unit }, kind, model, {
    timeMs: startedMs,
    value: null,
    offset: firstOffset,
  });
  const alert = { ...beginning, shelvedUntilMs, suppressed };
  return { alert, foundBits, quietReadings: 0, quietSinceMs: 0, isTold: false };
}

function openLife(pending: AlertLife, fields: Rest): AlertLife {
  const [state, severity, score, value, expected, rarity, words, isWarmingUp, ...later] = fields;
  const [detectedMs, clearedMs, acknowledgedMs, acknowledgedBy, quietReadings, quietSinceMs, isTold] = later;
  const alert: Alert = {
    ...pending.alert,
    state: alertStates[state] ?? 'active',
    severity,
    score,
    value,
    expected: expected === null ? null : { value: expected[0], low: expected[1], high: expected[2] },
    rarity,
    words,
    isWarmingUp,
    detectedMs,
    clearedMs,
    acknowledgedMs,
    acknowledgedBy,
  };
  return { alert, foundBits: pending.foundBits, quietReadings, quietSinceMs, isTold };
}
