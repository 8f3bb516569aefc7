import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metricRows } from '../../src/core/metrics.ts';
import { MetricsRegistry } from '../../src/edge/metrics-registry.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';

let metrics: MetricsRegistry;

beforeEach(() => {
  metrics = new MetricsRegistry();
});

afterEach(() => metrics.close());

test('every row of the table is there with its type and help', async () => {
  const text = await metrics.render();
  for (const [name, { type, help }] of Object.entries(metricRows)) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}`);
  }
});

test('what code reports is what is shown', async () => {
  metrics.add('headwater_records_accepted_total', 2, { source: 'mqtt' });
  metrics.add('headwater_records_accepted_total', 3, { source: 'mqtt' });
  metrics.set('headwater_high_watermark', 7, { topic: 'readings', partition: 0 });
  metrics.observe('headwater_commit_seconds', 0.0007);
  const text = await metrics.render();
  expect(text).toContain('headwater_records_accepted_total{source="mqtt"} 5');
  expect(text).toContain('headwater_high_watermark{topic="readings",partition="0"} 7');
  expect(text).toContain('headwater_commit_seconds_bucket{le="0.0005"} 0');
  expect(text).toContain('headwater_commit_seconds_bucket{le="0.001"} 1');
});

test('a gauge that is forgotten shows only what is set afterwards', async () => {
  metrics.set('headwater_high_watermark', 7, { topic: 'gone', partition: 0 });
  metrics.forget('headwater_high_watermark');
  metrics.set('headwater_high_watermark', 8, { topic: 'readings', partition: 0 });
  const text = await metrics.render();
  expect(text).not.toContain('gone');
  expect(text).toContain('headwater_high_watermark{topic="readings",partition="0"} 8');
});

test('a metric that is used as another kind is a broken assumption', () => {
  expect(() => metrics.add('headwater_journal_files', 1)).toThrow('broken assumption');
  expect(() => metrics.set('headwater_commits_total', 1)).toThrow('broken assumption');
  expect(() => metrics.observe('headwater_commits_total', 1)).toThrow('broken assumption');
  expect(() => metrics.forget('headwater_commits_total')).toThrow('broken assumption');
});

test('a blocked event loop shows once, in the scrape that follows', async () => {
  const delay = async () =>
    Number(/^headwater_event_loop_delay_seconds (.*)$/m.exec(await metrics.render())?.[1]);
  const turns = () => nodeClock.sleep(50);
  await vi.waitFor(async () => {
    await turns();
    const startMs = performance.now();
    while (performance.now() < startMs + 300);
    await turns();
    const seconds = await delay();
    expect(seconds).toBeGreaterThan(0.2);
    expect(seconds).toBeLessThan(5);
  });
  await vi.waitFor(async () => {
    await turns();
    expect(await delay()).toBeLessThan(0.2);
  });
});
