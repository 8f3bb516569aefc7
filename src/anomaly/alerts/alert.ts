import { createHash } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import type { Expected, Finding, FindingKind } from '../detection/finding.ts';
import { boundedText } from './series-name.ts';

/** What an alert is about: a series, or all series of a device, a topic or the gateway. */
export interface AlertSubject {
  /** As `seriesName` or `parentName` gives it. */
  readonly series: string;
  /** Of its records; null for all series of a device, topic or the gateway. */
  readonly partition: number | null;
  readonly unit: string | null;
}

/** The reading at which something was found, or what stands for it when a series is silent. */
export interface AlertReading {
  readonly timeMs: number;
  /** Null without a reading. */
  readonly value: number | null;
  readonly offset: number;
}

export const alertStates = ['pending', 'active', 'clearing', 'cleared'] as const;

/** `clearing`: nothing is found any more, but not for long enough. `cleared` ones are kept only while they are shelved. */
export type AlertState = (typeof alertStates)[number];

/** One anomaly of one subject, with its life. Times are milliseconds since 1970 UTC; of readings, where readings made it so. */
export interface Alert extends AlertSubject {
  /** 16 hex digits, made of partition, series, kind, model and first offset: the same whoever computes it. */
  readonly id: string;
  readonly kind: FindingKind;
  /** The external model that found it; null for our own detectors. */
  readonly model: string | null;
  /** The offset of the reading that it began with; of a silence, that of the first reading that is missing. */
  readonly firstOffset: number;
  readonly state: AlertState;
  /** 1 to 1000, as in OPC UA part 9; this and what follows up to the words is of its worst reading. */
  readonly severity: number;
  readonly score: number;
  /** Null where there is none: in a silence. */
  readonly value: number | null;
  readonly expected: Expected | null;
  readonly rarity: string | null;
  readonly words: readonly string[];
  readonly isWarmingUp: boolean;
  readonly startedMs: number;
  /** When it became active; null while it is pending. */
  readonly detectedMs: number | null;
  readonly clearedMs: number | null;
  /** What it stands for and was not told: that it came back while it was clearing, and the series of a silent device. */
  readonly suppressed: number;
  readonly acknowledgedMs: number | null;
  readonly acknowledgedBy: string | null;
  /** Until then it is not told as raised. */
  readonly shelvedUntilMs: number | null;
}

/** An alert as it begins: pending, with nothing known but its name and place. */
export function beginningAlert(
  subject: AlertSubject,
  kind: FindingKind,
  model: string | null,
  reading: AlertReading,
): Alert {
  const { series, partition, unit } = subject;
  return {
    id: alertId(subject, kind, model, reading.offset),
    series,
    partition,
    unit: unit === null ? null : plainText(unit, limits.alertUnitBytesMax),
    kind,
    model,
    firstOffset: reading.offset,
    state: 'pending',
    severity: 1,
    score: 0,
    value: null,
    expected: null,
    rarity: null,
    words: [],
    isWarmingUp: false,
    startedMs: reading.timeMs,
    detectedMs: null,
    clearedMs: null,
    suppressed: 0,
    acknowledgedMs: null,
    acknowledgedBy: null,
    shelvedUntilMs: null,
  };
}

/** The alert with what was found at a reading, bounded so that it can be kept. */
export function withFinding(alert: Alert, reading: AlertReading, finding: Finding): Alert {
  return {
    ...alert,
    severity: severityOf(finding),
    score: rounded(finding.score) ?? 0,
    value: reading.value === null ? null : rounded(reading.value),
    expected: boundedExpected(finding.expected),
    rarity: finding.rarity === null ? null : plainText(finding.rarity, limits.alertRarityBytesMax),
    words: boundedWords(finding.words),
    isWarmingUp: finding.isWarmingUp,
  };
}

/** A whole number from 1 to 1000. */
export const severityOf = ({ severity }: Finding): number =>
  Math.min(1000, Math.max(1, Math.round(severity) || 1));

/** What the keys of all that the log keeps of alerts begin with. */
export const alertMemoPrefix = 'alert/';

/** The key under which the log keeps what has become of this kind of alert of this subject. */
export const alertMemoKey = (
  { partition, series }: AlertSubject,
  kind: FindingKind,
  model: string | null,
): string => `${alertMemoPrefix}${shortHash([partition, series, kind, model])}`;

const alertId = (
  { partition, series }: AlertSubject,
  kind: FindingKind,
  model: string | null,
  firstOffset: number,
): string => shortHash([partition, series, kind, model, firstOffset]);

const shortHash = (parts: readonly (string | number | null)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

/** Text without what JSON would have to escape, cut to so many bytes in UTF-8; then it ends in three dots, if there is room for them. */
export function plainText(text: string, bytesMax: number): string {
  const plain = text
    .toWellFormed()
    .replace(/[\p{C}\\]/gu, ' ')
    .replaceAll('"', "'");
  if (Buffer.byteLength(plain) <= bytesMax) return plain;
  return bytesMax < 3 ? '' : `${boundedText(plain, bytesMax - 3)}…`;
}

/** The first texts, together within the limit. */
function boundedWords(words: readonly string[]): readonly string[] {
  let bytesLeft: number = limits.alertWordsBytesMax;
  return words.slice(0, limits.alertWordsMax).map((text) => {
    const bounded = plainText(text, bytesLeft);
    bytesLeft -= Buffer.byteLength(bounded);
    return bounded;
  });
}

function boundedExpected(expected: Expected | null): Expected | null {
  if (expected === null) return null;
  const [value, low, high] = [rounded(expected.value), rounded(expected.low), rounded(expected.high)];
  return value === null || low === null || high === null ? null : { value, low, high };
}

/** Nine digits are more than a sensor has, and few enough to be kept and read. Null for what is no number. */
const rounded = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(9)) : null;
