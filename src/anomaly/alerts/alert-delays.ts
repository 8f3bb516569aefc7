import { limits } from '../../core/limits.ts';
import type { FindingKind } from '../detection/finding.ts';

/** When an alert of a kind is raised, and when it is cleared. */
export interface AlertDelays {
  /** Raised when something was found at so many … */
  readonly onReadings: number;
  /** … of the last so many readings (32 at most), … */
  readonly ofReadings: number;
  /** … and the first of them is so old. */
  readonly onMs: number;
  /** Cleared after so many readings in a row without a finding, … */
  readonly offReadings: number;
  /** … when the first of them is so old. */
  readonly offMs: number;
}

const { alertOnDelayMs, alertOffDelayMs } = limits;

const atOnce = { onReadings: 1, ofReadings: 1, onMs: 0, offReadings: 3, offMs: alertOffDelayMs };
const byOneWord = { onReadings: 1, ofReadings: 1, onMs: 0, offReadings: 1, offMs: 0 };
/** What shows in many readings, and may be seen by chance in a few. */
const afterAFew = {
  onReadings: 3,
  ofReadings: 5,
  onMs: alertOnDelayMs,
  offReadings: 5,
  offMs: alertOffDelayMs,
};
/** What happens now and then on any network, and is a fault when it goes on. */
const whenRepeated = { onReadings: 3, ofReadings: 20, onMs: 0, offReadings: 20, offMs: alertOffDelayMs };

/** The delays of each kind. Detectors that wait by themselves, for a number of equal readings, are not made to wait twice. */
export const alertDelays: Readonly<Record<FindingKind, AlertDelays>> = {
  stuck: atOnce,
  // The first reading ends it.
  silence: byOneWord,
  'out-of-range': atOnce,
  rate: atOnce,
  spike: atOnce,
  'level-shift': afterAFew,
  drift: afterAFew,
  'noise-up': afterAFew,
  'noise-down': afterAFew,
  sentinel: atOnce,
  duplicate: whenRepeated,
  'out-of-order': whenRepeated,
  'clock-skew': afterAFew,
  // Only noted.
  'counter-reset': atOnce,
  // The learned views have de-bounced it; they are slow to become calm.
  unusual: { ...atOnce, offReadings: 10 },
  // It says itself when it begins, and once when it ends.
  model: byOneWord,
};
