import { describe, expect, test } from 'vitest';
import { sensitivities } from '../../../src/anomaly/detection/reading.ts';
import { thresholdAfterAlert, thresholdNow } from '../../../src/anomaly/learned/budget.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { DAY_MS, MINUTE_MS } from './synthetic.ts';

const WEEKS = 200;
const STEP_MS = 10 * MINUTE_MS;

/** Alerts a week of a series whose surprises are like this, late in its life. */
function alertsPerWeek(surprise: () => number, sensitivity: (typeof sensitivities)[number]): number {
  let threshold = 0;
  let alerts = 0;
  const readings = (WEEKS * 7 * DAY_MS) / STEP_MS;
  for (let index = 0; index < readings; index++) {
    threshold = thresholdNow(threshold, STEP_MS, sensitivity);
    if (surprise() <= threshold) continue;
    threshold = thresholdAfterAlert(threshold);
    if (index > readings / 2) alerts++;
  }
  return alerts / (WEEKS / 2);
}

describe('in the long run a series alerts no more often than allowed', () => {
  const budgets = { low: 0.25, normal: 1, high: 4 };
  test.each(sensitivities.map((sensitivity) => [sensitivity, budgets[sensitivity]] as const))(
    'at %s sensitivity: %s a week',
    (sensitivity, allowed) => {
      const random = new SimRandom(1);
      const heavyTailed = () => 0.3 * (1 - random.next()) ** -0.5;
      expect(alertsPerWeek(heavyTailed, sensitivity)).toBeLessThan(1.1 * allowed);
      expect(alertsPerWeek(heavyTailed, sensitivity)).toBeGreaterThan(0.5 * allowed);
    },
  );
});

test('a series that hardly surprises never alerts, however long it is quiet', () => {
  expect(alertsPerWeek(() => 0.3, 'high')).toBe(0);
});

test('the threshold is back after the time for one alert', () => {
  const raised = thresholdAfterAlert(thresholdNow(2, 0, 'normal'));
  expect(raised).toBeGreaterThan(2);
  expect(thresholdNow(raised, 7 * DAY_MS, 'normal')).toBeCloseTo(2);
});
