import { expect, test } from 'vitest';
import { healthReport, statusLine } from '../../../src/edge/health/health-report.ts';

const working = { available: true, unavailableReason: null };
const full = { available: false, unavailableReason: 'the disk is full' };

test('refusing readings for a known reason is healthy, being stuck is not', () => {
  expect(healthReport(working, null)).toEqual({ isHealthy: true, reasons: [] });
  expect(healthReport(full, null)).toEqual({ isHealthy: true, reasons: ['the disk is full'] });
  const stuck = 'no commit has completed for 40 s: the disk does not answer';
  expect(healthReport(working, 40_000)).toEqual({ isHealthy: false, reasons: [stuck] });
  expect(healthReport(full, 40_000)).toEqual({ isHealthy: false, reasons: ['the disk is full', stuck] });
});

test('the status is one line, and what the mirror says is in it only while readings are stored', () => {
  expect(statusLine(healthReport(working, null), null)).toBe('storing; no cluster is configured');
  expect(statusLine(healthReport(working, null), 'sending, 5 records to go')).toBe(
    'storing; sending, 5 records to go',
  );
  expect(statusLine(healthReport(full, null), 'sending')).toBe('degraded: the disk is full');
  expect(statusLine(healthReport(working, 40_000), 'sending')).toBe(
    'stuck: no commit has completed for 40 s: the disk does not answer',
  );
});
