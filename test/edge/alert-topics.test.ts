import { expect, test } from 'vitest';
import type { AlertSubject } from '../../src/anomaly/alerts/alert.ts';
import { AlertBook } from '../../src/anomaly/alerts/alert-book.ts';
import { AlertTopics, alertTopic } from '../../src/edge/alert-topics.ts';
import { findingOf, hall, readingAt } from '../anomaly/alerts/alert-examples.ts';

test('each open alert has a topic of its own, which MQTT can take', () => {
  const { book } = AlertBook.restored(new Map());
  const odd: AlertSubject = { series: 'air:a/b+#:t', partition: 0, unit: null };
  book.observe(hall, readingAt(1), [findingOf('out-of-range')]);
  book.observe(odd, readingAt(1), [findingOf('model')], 'vib/1');
  // Pending ones are nobody's business.
  book.observe(hall, readingAt(1), [findingOf('drift')]);
  const topics = new AlertTopics().messages(book.alerts()).map(({ topic }) => topic);
  expect(topics.toSorted()).toEqual([
    '$headwater/alerts',
    '$headwater/alerts/count',
    '$headwater/alerts/model/vib%2F1/air/a%2Fb%2B%23/t',
    '$headwater/alerts/out-of-range/air/hall/co2',
  ]);
});

test('a shelved alert is taken away, and comes back', () => {
  const { book } = AlertBook.restored(new Map());
  const topics = new AlertTopics();
  book.observe(hall, readingAt(1), [findingOf('spike')]);
  const [alert = expect.fail()] = book.alerts();
  const topic = alertTopic(alert);
  const payload = () => topics.messages(book.alerts()).find((told) => told.topic === topic)?.payload;
  expect(payload()).toContain('has a spike');
  book.shelve(alert.id, 9e9, 1);
  expect(payload()).toBe('');
  book.unshelve(alert.id, 2);
  expect(payload()).toContain('has a spike');
});

test('of two alerts that share a topic, the worse one is told', () => {
  const { book } = AlertBook.restored(new Map());
  for (const [partition, severity] of [
    [0, 300],
    [1, 700],
    [2, 500],
  ] as const)
    book.observe({ ...hall, partition }, readingAt(1), [findingOf('spike', { severity })]);
  const messages = new AlertTopics().messages(book.alerts());
  expect(messages.map(({ topic }) => topic)).toEqual([
    '$headwater/alerts',
    '$headwater/alerts/count',
    '$headwater/alerts/spike/air/hall/co2',
  ]);
  expect(JSON.parse(messages[2]?.payload ?? '')).toMatchObject({ severity: 700 });
});
