import type { ClockReading } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';

/** A stretch of records stamped by one setting of the wall clock (design P8). */
export interface ClockEpoch {
  /** From 1 on, never used again. */
  readonly ordinal: number;
  /** Which start of the machine, 32 hex digits: the monotonic clock counts from there. */
  readonly bootId: string;
  /** The wall clock less the monotonic one, milliseconds: the sum of this and when a record was received is its stamp. */
  readonly settingMs: number;
  /** When it began, by the monotonic clock. */
  readonly startedMs: number;
  /** Whether the clock was known to be right. */
  readonly isSet: boolean;
  /** What its stamps are to be moved by, milliseconds; null as long as, or if for ever, nobody knows. */
  readonly shiftMs: number | null;
  /** The topic `clock` tells of it. */
  readonly isTold: boolean;
}

/** Where an epoch begins in a partition. */
export interface EpochStart {
  readonly ordinal: number;
  readonly firstOffset: number;
}

/**
 * The epoch that begins now, or null if the one that was stands: somebody has set the clock, the machine has started
 * anew, or it has become known that the clock is right. Once it was set it stays so until the machine starts anew: that a time server is
 * lost does not make it wrong. Gradual corrections (NTP slewing) move both clocks, so they begin nothing.
 */
export function nextEpoch(current: ClockEpoch | undefined, now: ClockReading): ClockEpoch | null {
  const { bootId, monotonicMs } = now;
  const settingMs = Math.round(now.wallMs - monotonicMs);
  const sameBoot = current?.bootId === bootId ? current : undefined;
  const isSet = now.isSet || sameBoot?.isSet === true;
  const jumpMs = Math.abs(settingMs - (sameBoot?.settingMs ?? Number.NEGATIVE_INFINITY));
  if (sameBoot?.isSet === isSet && jumpMs < limits.clockJumpMsMin) return null;
  return {
    ordinal: (current?.ordinal ?? 0) + 1,
    bootId,
    settingMs,
    startedMs: Math.round(monotonicMs),
    isSet,
    shiftMs: isSet ? 0 : null,
    isTold: false,
  };
}

/** Whether the clock counts as set now, if that was the epoch of the last records. */
export const isSetAt = (current: ClockEpoch | undefined, now: ClockReading): boolean =>
  (nextEpoch(current, now) ?? current)?.isSet === true;

/** The stamp of what was received at `receivedMs` of the monotonic clock. */
export const stampMs = (settingMs: number, receivedMs: number): number => Math.round(receivedMs + settingMs);
