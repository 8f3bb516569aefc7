import { readdir, readFile, stat } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isSystemError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { RunTotals } from '../../src/edge/run-totals.ts';
import { WorkerSealer } from '../../src/edge/worker-sealer.ts';
import type { SealJob } from '../../src/log/segments/seal-job.ts';
import type { Sealer } from '../../src/log/segments/sealer.ts';
import { partitionFolder, segmentPath } from '../../src/log/state/catalog.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { neverSeal, openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
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

/** A journal file of real records, and the job to seal it. */
async function someJob(path: string): Promise<SealJob> {
  let job: SealJob | undefined;
  const recording: Sealer = {
    seal(asked, signal) {
      job ??= asked;
      return neverSeal.seal(asked, signal);
    },
    setCommitting() {},
  };
  const log = await openLog(new NodeDisk(path), { sealer: recording });
  await log.createTopic('a', 1, { compression: 'none' });
  for (let index = 0; index < 40; index += 1) await log.append([textRecord('a', 'x'.repeat(3000))]);
  await until('a job was asked for', () => job !== undefined);
  await log.close();
  return job as SealJob;
}

test('a job ends soon after its signal, and the next one is done', async () => {
  await using folder = await temporaryFolder();
  const job = await someJob(folder.path);
  const sealer = new WorkerSealer(folder.path, noMetrics);
  const stopping = new AbortController();
  const ended = sealer.seal(job, stopping.signal);
  stopping.abort();
  await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
  await expect(sealer.seal(job, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  const { partitions } = await sealer.seal(job, new AbortController().signal);
  expect(partitions[0]?.segments.length).toBe(1);
  await sealer.stop();
});

test('what the disk says comes back as the error of a system call', async () => {
  await using folder = await temporaryFolder();
  const job = await someJob(folder.path);
  const sealer = new WorkerSealer(folder.path, noMetrics);
  const files = job.files.map((file) => ({ ...file, path: 'journal/nowhere' }));
  const error = await sealer.seal({ ...job, files }, new AbortController().signal).catch((reason) => reason);
  expect(isSystemError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'ENOENT' });
  await sealer.stop();
});

test('a job whose thread dies is rejected, and the next one gets a new thread', async () => {
  await using folder = await temporaryFolder();
  const job = await someJob(folder.path);
  const sealer = new WorkerSealer(folder.path, noMetrics);
  const { signal } = new AbortController();
  // Held back for as long as a commit may hold it, so that the thread dies in the middle of it.
  sealer.setCommitting(true);
  const dying = sealer.seal(job, signal);
  await Promise.all([expect(dying).rejects.toMatchObject({ code: 'sealing-failed' }), sealer.stop()]);
  sealer.setCommitting(false);
  const { partitions } = await sealer.seal(job, signal);
  expect(partitions[0]?.segments.length).toBe(1);
  await sealer.stop();
});

test('a job waits while a commit is in flight, but not for ever', async () => {
  await using folder = await temporaryFolder();
  const job = await someJob(folder.path);
  const sealer = new WorkerSealer(folder.path, noMetrics);
  const { signal } = new AbortController();
  await sealer.seal(job, signal);
  sealer.setCommitting(true);
  const startedMs = performance.now();
  await sealer.seal(job, signal);
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(limits.sealYieldMsMax);
  await sealer.stop();
});

/** How nice each thread of this process is (proc(5): the 19th field, of which the second may hold anything). */
async function niceness(): Promise<readonly number[]> {
  const threads = await readdir('/proc/self/task');
  const stats = await Promise.all(threads.map((id) => readFile(`/proc/self/task/${id}/stat`, 'utf8')));
  return stats.map((line) => Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[16]));
}

test('the thread that seals lets all others have the processor first', async () => {
  await using folder = await temporaryFolder();
  const job = await someJob(folder.path);
  const before = await niceness();
  const sealer = new WorkerSealer(folder.path, noMetrics);
  try {
    await sealer.seal(job, new AbortController().signal);
    // Nobody may raise it, where all of the process is nicer than that already.
    const expected = Math.max(getPriority(), limits.sealThreadNiceness);
    const isLow = (nice: number): boolean => nice === expected;
    expect((await niceness()).filter(isLow).length - before.filter(isLow).length).toBe(1);
  } finally {
    await sealer.stop();
  }
});
