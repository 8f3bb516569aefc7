import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

const LOW = 0;
const HIGH = 1;
const LARGEST_STEP = 2;
const HELD_BACK = 3;

/**
 * What sensors and gateways send instead of a value: a DS18B20 that does not answer (-127) or was just switched on (85), a
 * Modbus register of ones or at its ends, missing values in loggers and weather stations.
 */
const sentinels: ReadonlySet<number> = new Set([
  -127, 85, 127, 255, 999, -999, 9999, -9999, 99999, -99999, 999.9, -999.9, 32767, -32768, 65535, 2147483647,
  -2147483648, 4294967295, -3.4028234663852886e38, 3.4028234663852886e38,
]);

/** Larger than anything measured: a value that no sensor means. */
const largestMagnitude = 1e30;

/** With fewer measurements nobody knows the series, and only half of the value itself is a large step. */
const countKnown = 16;

/** A series that begins with more of such values means them. */
const heldBackAtBegin = 3;

/** A value that such a step leads to did not come about as others do. */
const stepMargin = 2;

/** Readings that are no number, or a number that stands for none where the series has never been near it. */
export const sentinelRule: Rule = {
  size: { doubles: 4, floats: 0 },
  consequence: 'no-measurement',
  silencedBy: [],

  reset(state: SeriesState, at: StateSize): void {
    state.doubles[at.doubles + LOW] = Number.POSITIVE_INFINITY;
    state.doubles[at.doubles + HIGH] = Number.NEGATIVE_INFINITY;
  },

  observe({ doubles }: SeriesState, at: StateSize, observed: Observed): Finding | null {
    const begin = at.doubles;
    const { reading, count, step } = observed;
    const { value } = reading;
    if (!(Math.abs(value) < largestMagnitude)) {
      return faultFinding('sentinel', 700, [`${value} is no measurement`], {
        isWarmingUp: count < countKnown,
      });
    }
    const low = doubles[begin + LOW] ?? 0;
    const high = doubles[begin + HIGH] ?? 0;
    const size = Math.abs(step);
    if (sentinels.has(value)) {
      const heldBack = doubles[begin + HELD_BACK] ?? 0;
      const isAtBegin = count === 0 && heldBack < heldBackAtBegin;
      if (isAtBegin) doubles[begin + HELD_BACK] = heldBack + 1;
      const isOutside = value < low || value > high;
      const usual = Math.max(
        doubles[begin + LARGEST_STEP] ?? 0,
        count < countKnown ? Math.abs(value) / 4 : 0,
      );
      const isStrange = isOutside && size > stepMargin * usual;
      if (!isAtBegin && !isStrange) return null;
      const words = [`${inWords(value)} stands for no measurement`];
      if (low <= high) words.push(`before, there were ${inWords(low)} to ${inWords(high)}`);
      return faultFinding('sentinel', 700, words, { isWarmingUp: count < countKnown });
    }
    doubles[begin + LOW] = Math.min(low, value);
    doubles[begin + HIGH] = Math.max(high, value);
    doubles[begin + LARGEST_STEP] = Math.max((doubles[begin + LARGEST_STEP] ?? 0) * observed.fade, size);
    return null;
  },
};
