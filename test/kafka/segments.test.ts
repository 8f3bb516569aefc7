import type { ChildProcess } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { readRecords } from '../support/log-on-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type DumpedSegment, dumpSegments } from './dump-log.ts';
import { ended, start } from './processes.ts';
import { appendSome, openSealingLog, partitionsPerTopic, sealedTopics } from './sealing-log.ts';

const KILLS = 6;
/** A kill strikes so long after a sealing at most: in the next one, in a commit, or in between. */
const LATER_MS_MAX = 40;
const writer = join(import.meta.dirname, 'sealing-writer.ts');

let running: ChildProcess | undefined;

afterEach(async () => {
  if (running === undefined) return;
  running.kill('SIGKILL');
  await ended(running);
});

/** Lets a writer run until it has sealed some files, and kills it somewhere in what it does next. */
async function writeUntilKilled(folder: string): Promise<void> {
  const child = start(process.execPath, [writer, folder], ['ignore', 'pipe', 'inherit']);
  running = child;
  let sealings = 1 + Math.floor(Math.random() * 4);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    expect(line).toMatch(/^sealed \d+$/);
    sealings -= 1;
    if (sealings === 0) void nodeClock.sleep(Math.random() * LATER_MS_MAX).then(() => child.kill('SIGKILL'));
  }
  await ended(child);
  expect(child.signalCode).toBe('SIGKILL');
}

/** The segments of a partition, oldest first. */
async function segmentsOf(folder: string, topic: string, partition: number): Promise<string[]> {
  const inside = join(folder, 'topics', `${topic}-${partition}`);
  return (await readdir(inside)).sort().map((name) => join(inside, name));
}

describe('Kafka’s own dump tool', () => {
  test('reads every segment of a data folder after a crash run, as the gateway reads it', async () => {
    await using folder = await temporaryFolder();
    for (let kill = 0; kill < KILLS; kill += 1) await writeUntilKilled(folder.path);
    let sealedFiles = 0;
    const log = await openSealingLog(folder.path, (files) => {
      sealedFiles += files;
    });
    while (sealedFiles === 0) await appendSome(log);
    await log.close();

    const again = await openSealingLog(folder.path, () => {});
    for (const topic of Object.values(sealedTopics))
      for (let partition = 0; partition < partitionsPerTopic; partition += 1) {
        const paths = await segmentsOf(folder.path, topic, partition);
        const dumped = await dumpSegments(paths);
        expect([...dumped.keys()]).toEqual(paths);
        judge([...dumped.values()]);
        const found = [...dumped.values()].flatMap(({ records }) => records);
        const own = await readRecords(again, topic, partition, 0, 1_000_000);
        expect(found.length).toBeGreaterThan(1000);
        expect(found).toEqual(
          own.slice(0, found.length).map(({ offset, timestampMs, value }) => ({
            offset,
            timestampMs,
            payload: Buffer.from(value ?? []).toString(),
          })),
        );
      }
    await again.close();
  });

  test('tells a damaged segment from a good one', async () => {
    await using folder = await temporaryFolder();
    await writeUntilKilled(folder.path);
    const [path = ''] = await segmentsOf(folder.path, sealedTopics.none, 0);
    const bytes = await readFile(path);
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(dumpSegments([path]).then((dumped) => judge([...dumped.values()]))).rejects.toThrowError();
  });
});

/** Every batch valid, none missing in between, lives in their order. */
function judge(segments: readonly DumpedSegment[]): void {
  const batches = segments.flatMap((segment) => segment.batches);
  let offset = 0;
  let leaderEpoch = 0;
  for (const batch of batches) {
    expect(batch).toMatchObject({ isValid: true, baseOffset: offset });
    expect(batch.lastOffset - batch.baseOffset + 1).toBe(batch.count);
    expect(batch.leaderEpoch).toBeGreaterThanOrEqual(leaderEpoch);
    ({ leaderEpoch } = batch);
    offset = batch.lastOffset + 1;
  }
  expect(leaderEpoch).toBeGreaterThan(0);
  expect(segments.filter(({ hasTornTail }) => hasTornTail)).toEqual([]);
}
