import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { RunTotals } from '../../src/edge/run-totals.ts';
import { WorkerSealer } from '../../src/edge/worker-sealer.ts';
import { partitionFolder, segmentPath } from '../../src/log/catalog.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/virtual-time.ts';

test('the gateway’s metrics count what the thread that seals writes', async () => {
  await using folder = await temporaryFolder();
  // The log's own disk is not counted here: what is, the thread has written.
  const totals = new RunTotals(noMetrics);
  const sealer = new WorkerSealer(folder.path, totals);
  const log = await openLog(new NodeDisk(folder.path), { sealer });
  try {
    await log.createTopic('a', 1, { compression: 'none' });
    const texts = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(3000)}`);
    for (const text of texts) await log.append([textRecord('a', text)]);
    await until('it is sealed', () => totals.totals().deviceBytes.segments > 0);
    expect(await readTexts(log, 'a', 0)).toEqual(texts);
  } finally {
    await log.close();
    await sealer.stop();
  }
  const { size } = await stat(join(folder.path, segmentPath(partitionFolder('a', 0), 0)));
  const { deviceBytes, payloadBytes } = totals.totals();
  expect(deviceBytes.segments % limits.deviceBlockBytes).toBe(0);
  expect(deviceBytes.segments).toBeGreaterThanOrEqual(size);
  expect(deviceBytes.metadata).toBeGreaterThan(0);
  expect({ journal: deviceBytes.journal, payloadBytes }).toEqual({ journal: 0, payloadBytes: 0 });
});
