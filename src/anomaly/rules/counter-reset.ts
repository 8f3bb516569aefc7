import type { Finding } from '../detection/finding.ts';
import type { SeriesState, StateSize } from '../detection/series-state.ts';
import type { Observed, Rule } from './rule.ts';
import { faultFinding, inWords } from './words.ts';

/** Tells that a counter has begun anew, by a restart of its device or because it was full: no fault. */
export const counterResetRule: Rule = {
  size: { doubles: 0, floats: 0 },
  consequence: 'explained',
  silencedBy: [],

  reset(): void {},

  observe(_state: SeriesState, _at: StateSize, { isReset, previous, reading }: Observed): Finding | null {
    if (!isReset) return null;
    const words = `from ${inWords(previous)} to ${inWords(reading.value)}`;
    return faultFinding('counter-reset', 50, [words, 'the counter began anew']);
  },
};
