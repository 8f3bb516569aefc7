import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { type Metrics, noMetrics } from '../../src/core/metrics.ts';
import { gapsTopicName } from '../../src/core/topic-name.ts';
import type { Log } from '../../src/log/log.ts';
import { bytesToFree, hasRoom, usedBytes } from '../../src/log/retention/disk-budget.ts';
import type { Forwarding } from '../../src/log/types.ts';
import { readRecords, textRecord, unmirrored } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { fileBytes, newDisk, open, settled } from '../support/small-segments.ts';

const budgetBytes = limits.otherFilesBytesMax + 14 * fileBytes;

const isClockSet = (): boolean => true;

/** What the ledger says is lost of a partition, offset by offset. */
async function ledgerOf(log: Log, topic: string): Promise<{ offset: number; reason: string }[]> {
  const rows = (await readRecords(log, gapsTopicName, 0)).map(({ value }) => JSON.parse(String(value)));
  return rows
    .filter((row) => row.topic === topic && row.partition === 0)
    .flatMap(({ firstOffset, lastOffset, reason }) =>
      Array.from({ length: lastOffset - firstOffset + 1 }, (_, index) => ({
        offset: firstOffset + index,
        reason,
      })),
    );
}

/** A record that takes a block of its own in the journal and nearly as much in a segment. */
const largeRecord = (topic: string, index: number) =>
  textRecord(topic, '', { value: new SimRandom(index).bytes(3000) });

describe('the arithmetic of the disk budget', () => {
  const usage = { journalBytes: 500, segmentBytes: 300, quarantineBytes: 20 };

  test('counts everything', () => {
    expect(usedBytes(usage)).toBe(820 + limits.otherFilesBytesMax);
    expect(usedBytes({ ...usage, otherBytes: 7 })).toBe(827 + limits.otherFilesBytesMax);
  });

  test('wants room for what is sealed and for the reserve', () => {
    const needed = usedBytes(usage) + 10 * (limits.budgetReserveFiles + 3);
    expect(bytesToFree(usage, needed, 10, 3)).toBe(0);
    expect(bytesToFree(usage, needed - 7, 10, 3)).toBe(7);
  });

  test('admits records while the reserve is whole', () => {
    const needed = usedBytes(usage) + 10 * limits.budgetReserveFiles;
    expect(hasRoom(usage, needed, 10)).toBe(true);
    expect(hasRoom(usage, needed - 1, 10)).toBe(false);
  });
});

describe('the disk budget', () => {
  test('is kept at every operation of the disk, and what goes is in the ledger, each offset once', async () => {
    const disk = newDisk();
    const log = await open(disk, { retention: { budgetBytes, forwarding: unmirrored, isClockSet } });
    await log.createTopic('a', 1, { segmentBytes: 8000 });
    let most = 0;
    disk.onOperation = () => {
      most = Math.max(most, disk.usedBytes());
    };
    for (let index = 0; index < 300; index += 1) {
      await log.append([largeRecord('a', index)]);
      // A gateway under full load leaves upkeep this much time, too.
      await setImmediate();
    }
    await settled(disk);
    expect(most).toBeLessThanOrEqual(budgetBytes - limits.otherFilesBytesMax);
    expect(log.stats().usedBytes).toBeLessThanOrEqual(budgetBytes);
    const { logStartOffset = 0 } = log.partitions().find(({ topic }) => topic === 'a') ?? {};
    expect(logStartOffset).toBeGreaterThan(100);
    const lost = await ledgerOf(log, 'a');
    expect(lost).toEqual(
      Array.from({ length: logStartOffset }, (_, offset) => ({ offset, reason: 'disk-budget' })),
    );
    const found = await readRecords(log, 'a', 0, logStartOffset);
    expect(found.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 300 - logStartOffset }, (_, index) => logStartOffset + index),
    );
    await log.close();
  });

  test('loses nothing, and writes no ledger, while the cluster has what goes', async () => {
    const disk = newDisk();
    const lost: number[] = [];
    const metrics: Metrics = {
      ...noMetrics,
      add(name, by) {
        if (name === 'headwater_records_lost_total' && by > 0) lost.push(by);
      },
    };
    let end = 0;
    const forwarding = { isMirrored: () => true, confirmedOffset: () => end, undecidedOffset: () => end };
    const log = await open(disk, { metrics, retention: { budgetBytes, forwarding, isClockSet } });
    await log.createTopic('a', 1, { segmentBytes: 8000 });
    for (let index = 0; index < 300; index += 1) {
      await log.append([largeRecord('a', index)]);
      end = index + 1;
      await setImmediate();
    }
    await settled(disk);
    expect(log.partitions()[0]?.logStartOffset).toBeGreaterThan(100);
    expect(lost).toEqual([]);
    expect(log.topics().map(({ name }) => name)).toEqual(['a']);
    await log.close();
  });

  test('refuses records when nothing may go, says so, and takes them again when something may', async () => {
    const disk = newDisk();
    let undecided = Number.MAX_SAFE_INTEGER;
    const forwarding: Forwarding = {
      isMirrored: () => true,
      confirmedOffset: () => 0,
      undecidedOffset: () => undecided,
    };
    const log = await open(disk, { retention: { budgetBytes, forwarding, isClockSet } });
    await log.createTopic('a', 1, { segmentBytes: 8000 });
    let appended = 0;
    const appendUntilRefused = async (): Promise<unknown> => {
      try {
        for (; appended < 1000; appended += 1) {
          await log.append([largeRecord('a', appended)]);
          await settled(disk);
        }
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(await appendUntilRefused()).toMatchObject({ code: 'log-unavailable' });
    expect(log.available).toBe(false);
    expect(log.unavailableReason).toContain('data.budget');
    expect(disk.usedBytes()).toBeLessThanOrEqual(budgetBytes - limits.otherFilesBytesMax);
    expect((await readRecords(log, 'a', 0)).length).toBe(appended);
    undecided = 0;
    log.keepHouse();
    await settled(disk);
    expect(log.available).toBe(true);
    await log.append([largeRecord('a', appended)]);
    const { logStartOffset = 0 } = log.partitions().find(({ topic }) => topic === 'a') ?? {};
    expect((await ledgerOf(log, 'a')).map(({ offset }) => offset)).toEqual(
      Array.from({ length: logStartOffset }, (_, offset) => offset),
    );
    await log.close();
  });
});

describe('retention of a log at work', () => {
  test('until forwarded seals nothing while the link keeps up', async () => {
    const disk = newDisk();
    let sealedFiles = 0;
    const metrics: Metrics = {
      ...noMetrics,
      add(name, by) {
        if (name === 'headwater_sealed_journal_files_total') sealedFiles += by;
      },
    };
    let confirmed = 0;
    const forwarding = {
      isMirrored: () => true,
      confirmedOffset: () => confirmed,
      undecidedOffset: () => confirmed,
    };
    const retention = { budgetBytes: Number.POSITIVE_INFINITY, forwarding, isClockSet };
    const log = await open(disk, { metrics, retention });
    await log.createTopic('a', 1, { retention: 'until-forwarded' });
    for (let index = 0; index < 100; index += 1) {
      await log.append([largeRecord('a', index)]);
      confirmed = index + 1;
      await settled(disk);
    }
    expect(sealedFiles).toBe(0);
    expect(log.stats().journalFiles).toBeLessThan(5);
    expect(log.partitions()[0]?.logStartOffset).toBeGreaterThan(80);
    // The link is gone: now they are kept in segments.
    for (let index = 0; index < 40; index += 1) {
      await log.append([largeRecord('a', index)]);
      await settled(disk);
    }
    expect(sealedFiles).toBeGreaterThan(2);
    expect((await readRecords(log, 'a', 0, confirmed)).length).toBe(40);
    await log.close();
  });

  test('by bytes survives a power cut at any time with its ledger', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new SimDisk(new SimRandom(seed));
      const retention = { budgetBytes: Number.POSITIVE_INFINITY, forwarding: unmirrored, isClockSet };
      const log = await open(disk, { retention });
      await log.createTopic('a', 1, { segmentBytes: 8000, retention: { bytes: 20_000 } });
      const work = async (): Promise<void> => {
        for (let index = 0; index < 100; index += 1) await log.append([largeRecord('a', index)]);
      };
      await Promise.race([disk.dieAfter(150 + 37 * seed), work()]);
      disk.cutPower();
      const again = await open(disk);
      const { logStartOffset = 0, highWatermark = 0 } =
        again.partitions().find(({ topic }) => topic === 'a') ?? {};
      const lost = logStartOffset === 0 ? [] : await ledgerOf(again, 'a');
      expect(lost.map(({ offset }) => offset)).toEqual(
        Array.from({ length: logStartOffset }, (_, offset) => offset),
      );
      expect((await readRecords(again, 'a', 0, logStartOffset)).length).toBe(highWatermark - logStartOffset);
      await again.close();
    }
  });
});
