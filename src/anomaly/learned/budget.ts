import { limits } from '../../core/limits.ts';
import type { Sensitivity } from '../detection/reading.ts';

/** An alert makes the threshold grow by this factor, and the time until the next one is due takes it back. */
const GROWTH = 1.25;

/** How many alerts a healthy series may give in the time for one at normal sensitivity, and from which surprise on. */
const sensitivities: Readonly<Record<Sensitivity, { readonly alerts: number; readonly least: number }>> = {
  low: { alerts: 0.25, least: 1 },
  normal: { alerts: 1, least: 0.6 },
  high: { alerts: 4, least: 0.4 },
};

/**
 * The surprise from which on a reading gives an alert, given the threshold of the one before. It is steered so that in the
 * long run alerts are no more frequent than allowed, whatever the series is like: each one raises it, and time lowers it,
 * but never below a fixed value (the rule of adaptive conformal inference, Gibbs and Candès 2021, on a logarithmic scale).
 */
export function thresholdNow(last: number, elapsedMs: number, sensitivity: Sensitivity): number {
  const { alerts, least } = sensitivities[sensitivity];
  if (last <= least) return least;
  return Math.max(least, last * GROWTH ** ((-alerts * elapsedMs) / limits.unusualAlertMs));
}

/** The threshold after an alert. */
export function thresholdAfterAlert(threshold: number): number {
  return threshold * GROWTH;
}
