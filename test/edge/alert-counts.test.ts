import { expect, test } from 'vitest';
import { AlertBook } from '../../src/anomaly/alerts/alert-book.ts';
import type { Metrics } from '../../src/core/metrics.ts';
import { anomalyReport, reportAlerts } from '../../src/edge/alert-counts.ts';
import { findingOf, hall, readingAt } from '../anomaly/alerts/alert-examples.ts';

test('alerts are counted by what a person has to do about them', () => {
  const { book } = AlertBook.restored(new Map());
  const severities = [1000, 800, 799, 600, 400, 399, 1];
  for (const [partition, severity] of severities.entries())
    book.observe({ ...hall, partition }, readingAt(1), [findingOf('spike', { severity })]);
  book.observe(hall, readingAt(1), [findingOf('drift')]);
  const [worst = expect.fail(), next = expect.fail()] = book.alerts();
  book.acknowledge(worst.id, 'anna', 1);
  book.shelve(next.id, 9e9, 1);
  const status = { series: 7, seriesMax: 9, evicted: 0, readings: 3, lagRecords: 0, stateBytes: 5 };
  const report = anomalyReport({ ...status, alerts: book.alerts(), heldBack: 4 });
  expect(report).toEqual({
    ...status,
    heldBack: 4,
    alerts: { open: { urgent: 1, high: 2, medium: 1, low: 2 }, unacknowledged: 5, shelved: 1, pending: 1 },
  });
  const gauges = new Map<string, number>();
  const set: Metrics['set'] = (name, value, labels) => {
    gauges.set(`${name} ${labels?.['severity'] ?? ''}`.trim(), value);
  };
  reportAlerts(report, { add() {}, observe() {}, set });
  expect(Object.fromEntries(gauges)).toEqual({
    'headwater_alerts_open urgent': 1,
    'headwater_alerts_open high': 2,
    'headwater_alerts_open medium': 1,
    'headwater_alerts_open low': 2,
    headwater_alerts_unacknowledged: 5,
    headwater_alerts_shelved: 1,
    headwater_alerts_pending: 1,
    headwater_alerts_held_back: 4,
  });
});
