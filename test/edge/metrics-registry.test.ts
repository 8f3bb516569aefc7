import { beforeEach, expect, test } from 'vitest';
import { metricRows } from '../../src/core/metrics.ts';
import { MetricsRegistry } from '../../src/edge/metrics-registry.ts';

let metrics: MetricsRegistry;

beforeEach(() => {
  metrics = new MetricsRegistry();
});

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
