import { expect, test } from 'vitest';
import { reportForwarder } from '../../src/edge/forwarder-metrics.ts';
import { MetricsRegistry } from '../../src/edge/metrics-registry.ts';
import type { Drain } from '../../src/forwarder/progress/goodput.ts';
import { drainingForwarder } from '../support/forwarder-status.ts';

test('the states of the mirror are metrics, and those of topics that are gone leave', async () => {
  const registry = new MetricsRegistry();
  const status = drainingForwarder();
  reportForwarder(status, registry);
  const text = await registry.render();
  for (const line of [
    'lag_records{topic="readings"} 120000',
    'lag_bytes{topic="alarms"} 1000',
    'lag_seconds{topic="gaps"} 0',
    'goodput_records_per_second 512.34',
    'goodput_bytes_per_second 15400',
    'arriving_records_per_second 12',
    'drain_seconds 240',
    'day_bytes 225000000',
    'stale 0',
    'last_acknowledged_timestamp_seconds 1700000000',
  ])
    expect(text).toContain(`headwater_forwarder_${line}\n`);
  reportForwarder({ ...status, topics: status.topics.slice(1), isStale: true }, registry);
  const later = await registry.render();
  expect(later).toContain('headwater_forwarder_stale 1\n');
  expect(later).not.toContain('topic="readings"');
});

test('a metered link is metrics: what of it is used, and why and how long bulk waits', async () => {
  const registry = new MetricsRegistry();
  const rest = { reason: 'hours', until: '22:00', secondsLeft: 3600 } as const;
  const link = { bytesPerDay: 20e6, spentBytes: 3e6, hours: ['22:00-06:00'], rest };
  reportForwarder({ ...drainingForwarder(), link }, registry);
  const text = await registry.render();
  for (const line of [
    'link_budget_bytes 20000000',
    'link_spent_bytes 3000000',
    'bulk_rests{reason="hours"} 1',
    'bulk_rests{reason="budget"} 0',
    'bulk_rest_seconds 3600',
  ])
    expect(text).toContain(`headwater_forwarder_${line}\n`);
  const unknown = { reason: 'clock', until: null, secondsLeft: null } as const;
  reportForwarder({ ...drainingForwarder(), link: { ...link, rest: unknown } }, registry);
  expect(await registry.render()).toContain('headwater_forwarder_bulk_rest_seconds Nan\n');
  reportForwarder({ ...drainingForwarder(), link: { ...link, rest: null } }, registry);
  const later = await registry.render();
  expect(later).toContain('headwater_forwarder_bulk_rest_seconds 0\n');
  expect(later).toContain('headwater_forwarder_bulk_rests{reason="clock"} 0\n');
});

test.each<[Drain, string]>([
  [{ state: 'waits', secondsLeft: null }, 'Nan'],
  [{ state: 'no-backlog', secondsLeft: null }, '0'],
  [{ state: 'unknown', secondsLeft: null }, 'Nan'],
  [{ state: 'never', secondsLeft: null }, '+Inf'],
])('the time left as a number: $state', async (drain, expected) => {
  const registry = new MetricsRegistry();
  reportForwarder({ ...drainingForwarder(), drain }, registry);
  expect(await registry.render()).toContain(`headwater_forwarder_drain_seconds ${expected}\n`);
});
