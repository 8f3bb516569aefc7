import { limits } from '../../../core/limits.ts';

export const timeUnits = ['s', 'ms', 'us', 'ns', 'iso'] as const;

/** How a device writes the time: since 1970 in one of these units, or as ISO 8601 text. */
export type TimeUnit = (typeof timeUnits)[number];

/** Where the payload, which is JSON, has the time of the device. */
export interface TimeRule {
  /** Names of members, and numbers of items, from outside to inside. */
  readonly path: readonly string[];
  readonly unit: TimeUnit;
}

/** Why the gateway's own time counts instead. */
export const timeProblems = ['clock-unset', 'unreadable', 'out-of-range'] as const;

export type TimeProblem = (typeof timeProblems)[number];

/** The clock of the gateway at the receipt; `wallMs` milliseconds since 1970. */
export interface ReceiptTime {
  readonly isClockSet: boolean;
  readonly wallMs: number;
}

const msPerUnit: Readonly<Record<Exclude<TimeUnit, 'iso'>, number>> = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 };

/**
 * The time of the device in a payload, milliseconds since 1970, or why it does not count: it must lie between
 * `limits.deviceTimeMsMin` and a little ahead of the gateway's clock, which therefore has to be set. A stamp from the future would keep
 * the record from Kafka, and from retention.
 */
export function deviceTimeOf(
  payload: Uint8Array,
  { path, unit }: TimeRule,
  { isClockSet, wallMs }: ReceiptTime,
): number | TimeProblem {
  if (!isClockSet) return 'clock-unset';
  const ms = milliseconds(valueAt(parsed(payload), path), unit);
  if (ms === null) return 'unreadable';
  if (ms < limits.deviceTimeMsMin || ms > wallMs + limits.deviceTimeAheadMsMax) return 'out-of-range';
  return ms;
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

function milliseconds(value: unknown, unit: TimeUnit): number | null {
  if (unit === 'iso') {
    const ms = typeof value === 'string' && isoDate.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? null : ms;
  }
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return null;
  return Math.round(number * msPerUnit[unit]);
}

/** A date with time and zone: without the zone it would be read by that of the gateway. */
const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
