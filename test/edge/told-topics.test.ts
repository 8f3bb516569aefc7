import { expect, test } from 'vitest';
import { AlertBook } from '../../src/anomaly/alerts/alert-book.ts';
import type { Told } from '../../src/edge/alert-topics.ts';
import type { PresentStatus } from '../../src/edge/status.ts';
import { tellTopics, toldTopics } from '../../src/edge/told-topics.ts';
import { findingOf, hall, readingAt } from '../anomaly/alerts/alert-examples.ts';
import { ManualClock } from '../support/manual-clock.ts';

const report = {
  gateway: 'gw1',
  version: '1.2.3',
  state: 'degraded',
  reasons: ['the disk is full'],
  dataDir: '/secret/place',
  log: { usedBytes: 5, budgetBytes: 10 },
  clock: { isSet: true },
  mqtt: {
    sessions: 0,
    queued: 0,
    retained: 0,
    unrouted: [{ mqttTopic: 'a', problem: 'no-route', messages: 3 }],
    sources: [{ name: 'hall', state: 'lost', url: 'mqtt://secret' }],
  },
  serial: [{ name: 'wind', path: '/dev/x', state: 'open' }],
  modbus: [{ name: 'cabinet', state: 'open', units: [{ name: 'air', state: 'silent' }] }],
  forwarder: {
    state: 'sending',
    message: 'sending to secret:9092',
    lagRecords: 7,
    lagSeconds: 1.4,
    isStale: false,
    lastAcknowledgedMs: 9,
  },
  anomaly: { alerts: { open: { urgent: 0, high: 1, medium: 0, low: 0 }, unacknowledged: 1 }, series: 12 },
} as unknown as PresentStatus;

test('rules on site are told how the gateway is, and nothing of its insides', () => {
  const told = new Map(toldTopics(report).map(({ topic, payload }) => [topic, payload]));
  expect(told.get('$headwater/state')).toBe('degraded');
  expect(told.get('$headwater/forwarder/state')).toBe('sending');
  expect(told.get('$headwater/forwarder/lag')).toBe('7');
  const status = told.get('$headwater/status') ?? '';
  expect(JSON.parse(status)).toEqual({
    gateway: 'gw1',
    version: '1.2.3',
    state: 'degraded',
    reasons: ['the disk is full'],
    clockSet: true,
    disk: { usedBytes: 5, budgetBytes: 10 },
    unrouted: [{ mqttTopic: 'a', problem: 'no-route' }],
    serial: [{ name: 'wind', state: 'open' }],
    modbus: [{ name: 'cabinet', state: 'open', units: [{ name: 'air', state: 'silent' }] }],
    sources: [{ name: 'hall', state: 'lost' }],
    forwarder: {
      state: 'sending',
      lagRecords: 7,
      lagSeconds: 1,
      isStale: false,
      lastAcknowledgedMs: 9,
    },
    alerts: { open: { urgent: 0, high: 1, medium: 0, low: 0 }, unacknowledged: 1 },
  });
  expect(status).not.toContain('secret');
});

test('without a cluster the mirror is off', () => {
  const told = toldTopics({ ...report, forwarder: null });
  expect(told.slice(2).map(({ payload }) => payload)).toEqual(['off', '0']);
});

test('are told again and again, until the signal', async () => {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const told: (readonly Told[])[] = [];
  const telling = tellTopics(
    { status: () => report, tell: (messages) => told.push(messages), alerts: null, clock },
    stopping.signal,
  );
  for (let round = 1; round <= 3; round += 1) {
    await expect.poll(() => told.length).toBe(round);
    clock.pass(5_000);
  }
  stopping.abort();
  await telling;
});

test('alerts are told at once, and taken away when they are over', async () => {
  const book = AlertBook.restored(new Map()).book;
  let news = new AbortController();
  const alerts = { list: () => book.alerts(), news: () => news.signal };
  const stopping = new AbortController();
  const told: Map<string, string>[] = [];
  const tell = (messages: readonly Told[]) =>
    told.push(new Map(messages.map(({ topic, payload }) => [topic, payload])));
  const telling = tellTopics(
    { status: () => report, tell, alerts, clock: new ManualClock() },
    stopping.signal,
  );
  const happens = async (change: () => void) => {
    change();
    const before = news;
    news = new AbortController();
    before.abort();
    const count = told.length + 1;
    await expect.poll(() => told.length).toBe(count);
    return told.at(-1);
  };
  expect(told.at(-1)?.get('$headwater/alerts/count')).toBe('0');
  const raised = await happens(() => book.observe(hall, readingAt(1, 9000), [findingOf('spike')]));
  expect(raised?.get('$headwater/alerts/count')).toBe('1');
  expect(JSON.parse(raised?.get('$headwater/alerts/spike/air/hall/co2') ?? '')).toMatchObject({
    series: 'air:hall:co2',
    value: 9000,
    message: expect.stringContaining('has a spike'),
  });
  const cleared = await happens(() => book.forget('air:hall:co2', 9e9));
  expect(cleared?.get('$headwater/alerts/spike/air/hall/co2')).toBe('');
  expect(cleared?.get('$headwater/alerts')).toBe('[]');
  expect((await happens(() => {}))?.has('$headwater/alerts/spike/air/hall/co2')).toBe(false);
  stopping.abort();
  await telling;
});
