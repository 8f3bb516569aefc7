import type { FindingKind } from '../detection/finding.ts';
import type { Alert } from './alert.ts';

const said: Readonly<Record<FindingKind, string>> = {
  stuck: 'is stuck',
  silence: 'is silent',
  'out-of-range': 'is out of range',
  rate: 'changes faster than it can',
  spike: 'has a spike',
  'level-shift': 'has shifted to another level',
  drift: 'drifts away',
  'noise-up': 'is noisier than usual',
  'noise-down': 'is less noisy than usual',
  sentinel: 'sends a value that stands for a fault',
  duplicate: 'sends readings twice',
  'out-of-order': 'sends readings out of order',
  'clock-skew': 'has a clock that is wrong',
  'counter-reset': 'has begun to count anew',
  unusual: 'is unusual',
  model: 'is unusual to a model',
};

/** What is wrong, in words a person understands: `air:hall:co2 is out of range: 9000 ppm, expected 380 to 2000 (above its maximum)`. */
export function alertMessage({ series, kind, model, value, unit, expected, words }: Alert): string {
  const about = series.endsWith('*') ? `all of ${series}` : series;
  const what = model === null ? said[kind] : `is unusual to the model ${model}`;
  const units = unit === null ? '' : ` ${unit}`;
  const facts = [
    ...(value === null ? [] : [`${shown(value)}${units}`]),
    ...(expected === null ? [] : [`expected ${shown(expected.low)} to ${shown(expected.high)}`]),
  ];
  const why = words.length === 0 ? '' : ` (${words.join('; ')})`;
  return `${about} ${what}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}${why}`;
}

/** Five digits, as one reads them from a display. */
const shown = (value: number): string => `${Number(value.toPrecision(5))}`;
