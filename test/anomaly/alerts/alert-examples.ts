import type { AlertReading, AlertSubject } from '../../../src/anomaly/alerts/alert.ts';
import type { Finding, FindingKind } from '../../../src/anomaly/detection/finding.ts';

export const hall: AlertSubject = { series: 'air:hall:co2', partition: 3, unit: 'ppm' };

/** A finding as detectors make them. */
export const findingOf = (kind: FindingKind, change: Partial<Finding> = {}): Finding => ({
  kind,
  severity: 600,
  score: 1,
  expected: { value: 500, low: 380, high: 2000 },
  rarity: null,
  words: ['above its maximum'],
  isWarmingUp: false,
  ...change,
});

/** The reading at an offset; one comes each 10 s. */
export const readingAt = (offset: number, value = 400): AlertReading => ({
  timeMs: 1_000_000 + offset * 10_000,
  value,
  offset,
});
