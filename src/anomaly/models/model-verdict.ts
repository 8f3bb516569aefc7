import { limits } from '../../core/limits.ts';
import type { Expected, Finding } from '../detection/finding.ts';

/** What somebody else's model says of a series. */
export interface ModelVerdict {
  readonly model: string;
  readonly series: string;
  /** Milliseconds since 1970 UTC; null for the time of the record. */
  readonly timeMs: number | null;
  /** The value that it speaks of, if it says. */
  readonly value: number | null;
  /** Null if all is well again. */
  readonly finding: Finding | null;
}

export type ReadVerdict =
  | { readonly ok: true; readonly verdict: ModelVerdict }
  /** Why it is none, in words. */
  | { readonly ok: false; readonly reason: string };

const bad = (reason: string): ReadVerdict => ({ ok: false, reason });

/** Of a model that does not say how bad it is. */
const severityDefault = 500;

/**
 * A verdict as models publish them: JSON with `model`, `series` and `isAnomalous`, and perhaps `time` (ms since 1970), `score` (0 to 1), `severity`
 * (1 to 1000), `value`, `expected` ({ value, low, high }) and `words`. Never throws.
 */
export function readModelVerdict(payload: Uint8Array): ReadVerdict {
  if (payload.length > limits.modelVerdictBytesMax)
    return bad(`it has ${payload.length} bytes, and ${limits.modelVerdictBytesMax} is the most`);
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return bad('it is not JSON');
  }
  const { model, series, isAnomalous, time, value } = membersOf(content);
  if (!isName(model, limits.alertModelBytesMax))
    return bad(`"model" is to be a text of 1 to ${limits.alertModelBytesMax} bytes`);
  if (!isName(series, limits.seriesNameBytesMax) || !isReadable(series))
    return bad(`"series" is to be the name of a series, as alerts have it: topic:key:path`);
  if (typeof isAnomalous !== 'boolean') return bad('"isAnomalous" is to be true or false');
  if (time !== undefined && !isTime(time)) return bad('"time" is to be milliseconds since 1970');
  if (value !== undefined && !isNumber(value)) return bad('"value" is to be a number');
  const about = { model, series, timeMs: time === undefined ? null : Math.round(time), value: value ?? null };
  const finding = isAnomalous ? findingIn(membersOf(content)) : null;
  return typeof finding === 'string' ? bad(finding) : { ok: true, verdict: { ...about, finding } };
}

/** The finding, or what is wrong with it. */
function findingIn({ score, severity, expected, words }: Members): Finding | string {
  if (score !== undefined && !(isNumber(score) && score >= 0 && score <= 1))
    return '"score" is to be a number from 0 to 1';
  if (severity !== undefined && !(isNumber(severity) && severity >= 1 && severity <= 1000))
    return '"severity" is to be a number from 1 to 1000';
  if (words !== undefined && !(Array.isArray(words) && words.every((word) => typeof word === 'string')))
    return '"words" is to be a list of texts';
  const range = expected === undefined || expected === null ? null : expectedIn(membersOf(expected));
  if (range === undefined) return '"expected" is to have the numbers "value", "low" and "high"';
  return {
    kind: 'model',
    severity: isNumber(severity) ? Math.round(severity) : severityDefault,
    score: isNumber(score) ? score : 1,
    expected: range,
    rarity: null,
    words: Array.isArray(words) ? words.slice(0, limits.alertWordsMax) : [],
    isWarmingUp: false,
  };
}

function expectedIn({ value, low, high }: Members): Expected | undefined {
  return isNumber(value) && isNumber(low) && isNumber(high) ? { value, low, high } : undefined;
}

type Members = Readonly<Record<string, unknown>>;

const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null ? (value as Members) : {};

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** A time that a record can have. */
const isTime = (value: unknown): value is number =>
  isNumber(value) && value >= 0 && value <= limits.payloadTimeSecondsMax * 1000;

const isName = (value: unknown, bytesMax: number): value is string =>
  typeof value === 'string' && value.length > 0 && Buffer.byteLength(value) <= bytesMax;

/** Whether it could be a name of ours, which goes to terminals, and into memos of a bounded size, as it is. */
const isReadable = (name: string): boolean => name.isWellFormed() && !/[\p{C}"\\]/u.test(name);
