import { expect, test } from 'vitest';
import { MetricsRegistry } from '../../src/edge/metrics-registry.ts';
import { RunTotals } from '../../src/edge/run-totals.ts';

test('sums up what concerns the card, and passes everything on', async () => {
  const registry = new MetricsRegistry();
  const totals = new RunTotals(registry);
  totals.add('headwater_device_bytes_written_total', 4096, { kind: 'segments' });
  totals.add('headwater_device_bytes_written_total', 8192, { kind: 'segments' });
  totals.add('headwater_payload_bytes_total', 7);
  totals.add('headwater_commits_total', 3);
  totals.set('headwater_journal_files', 2);
  totals.observe('headwater_commit_seconds', 0.002);
  const deviceBytes = { journal: 0, segments: 12_288, other: 0, metadata: 0 };
  expect(totals.totals()).toEqual({ payloadBytes: 7, deviceBytes });
  const text = await registry.render();
  for (const line of [
    'headwater_device_bytes_written_total{kind="segments"} 12288',
    'headwater_payload_bytes_total 7',
    'headwater_commits_total 3',
    'headwater_journal_files 2',
    'headwater_commit_seconds_count 1',
  ])
    expect(text).toContain(line);
});
