import { assert } from '../../core/errors.ts';
import type { LogRecord, NewRecord } from '../../core/record.ts';
import type { LogEnvironment } from '../journal/journal-files.ts';
import { type ClockEpoch, nextEpoch, stampMs } from './clock-epoch.ts';
import { type ClockEpochs, noEpoch } from './clock-epochs.ts';

/** How the records of one commit are stamped. */
export interface Stamping {
  /** The wall clock less the monotonic one, milliseconds. */
  readonly settingMs: number;
  /** The clock epoch of these records, or -1. */
  readonly ordinal: number;
  /** The epoch, if it begins with this commit. */
  readonly begun: ClockEpoch | null;
}

/** How a commit that is planned now is stamped. Without `readClock` no epochs are kept. */
export function stampingNow(
  epochs: ClockEpochs,
  { clock, readClock }: Pick<LogEnvironment, 'clock' | 'readClock'>,
): Stamping {
  if (readClock === undefined)
    return { settingMs: Math.round(clock.wallMs() - clock.monotonicMs()), ordinal: noEpoch, begun: null };
  const begun = nextEpoch(epochs.current, readClock());
  const epoch = begun ?? epochs.current;
  assert(epoch !== undefined, 'without an epoch one begins');
  return { settingMs: epoch.settingMs, ordinal: epoch.ordinal, begun };
}

/** A record with its stamp: its own, or gateway time at its receipt. */
export const stamped = ({ settingMs }: Stamping, record: NewRecord): LogRecord => ({
  key: record.key,
  value: record.value,
  headers: record.headers,
  timestampMs: record.timestampMs ?? stampMs(settingMs, record.receivedMs),
});
