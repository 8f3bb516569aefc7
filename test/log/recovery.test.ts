import { describe, expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import type { Log } from '../../src/log/log.ts';
import { openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import { noFaults, SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

const failing = { syncFails: 1, writeFails: 1 };

/** A log on a disk whose faults end as soon as the log reports the first. */
async function logWithOneFault(seed: number): Promise<{ disk: SimDisk; log: Log; reports: string[] }> {
  const disk = new SimDisk(new SimRandom(seed));
  const reports: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error(_, message) {
      reports.push(message);
      disk.faults = noFaults;
    },
  };
  const log = await openLog(disk.session(), { logger, clock: new VirtualClock() });
  await log.createTopic('a', 1);
  await log.append([textRecord('a', 'before')]);
  return { disk, log, reports };
}

describe.each([
  ['write', { syncFails: 0, writeFails: 1 }],
  ['sync', { syncFails: 1, writeFails: 0 }],
])('a failed %s', (_, faults) => {
  test('is recovered from within the run: nothing acknowledged is lost, and everything offered becomes durable', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { disk, log, reports } = await logWithOneFault(seed);
      disk.faults = faults;
      const texts = ['one', 'two', 'three'];
      const appended = await Promise.all(texts.map((text) => log.append([textRecord('a', text)])));
      expect(appended.flat().map(({ offset }) => offset)).toEqual([1, 2, 3]);
      expect(reports).toEqual([
        expect.stringMatching(/write or sync of the journal failed.*Replace the card/),
      ]);
      expect(log.available).toBe(true);
      expect(await readTexts(log, 'a', 0)).toEqual(['before', ...texts]);
      await log.append([textRecord('a', 'after')]);
      disk.cutPower();
      const again = await openLog(disk.session());
      expect(await readTexts(again, 'a', 0)).toEqual(['before', ...texts, 'after']);
      await again.close();
    }
  });

  test('begins a new life', async () => {
    const { disk, log } = await logWithOneFault(1);
    disk.faults = faults;
    await log.append([textRecord('a', 'x')]);
    await log.append([textRecord('a', 'y')]);
    const lives = log.lives('a', 0).map(({ life }) => life);
    expect(new Set(lives).size).toBe(2);
    await log.close();
  });
});

describe('a recovery that keeps failing', () => {
  test('refuses appends with the reason, goes on serving, and comes back by itself', async () => {
    const disk = new SimDisk(new SimRandom(3));
    const clock = new VirtualClock();
    const told: string[] = [];
    const logger: Logger = { ...silentLogger, info: (_, message) => void told.push(message) };
    const log = await openLog(disk.session(), { clock, logger });
    await log.createTopic('a', 1);
    await log.append([textRecord('a', 'before')]);
    disk.faults = failing;
    const inFlight = log.append([textRecord('a', 'in flight')]);
    await until('the log is unavailable', () => !log.available);
    await expect(log.append([textRecord('a', 'refused')])).rejects.toMatchObject({
      code: 'log-unavailable',
      message: expect.stringMatching(/EIO.*it keeps trying/),
    });
    await expect(log.createTopic('b', 1)).rejects.toMatchObject({ code: 'log-unavailable' });
    expect(log.unavailableReason).toMatch(/cannot make anything durable/);
    expect(await readTexts(log, 'a', 0)).toEqual(['before']);
    await until('several attempts', () => clock.sleeps.filter((ms) => ms >= 10_000).length > 2);
    expect(clock.sleeps.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000]);
    disk.faults = noFaults;
    await until('the log is available', () => log.available);
    expect(told).toEqual(['the journal is recovered']);
    const answer = await Promise.allSettled([inFlight]);
    const answered = answer[0]?.status === 'fulfilled' ? ['in flight'] : [];
    await log.append([textRecord('a', 'after')]);
    expect(await readTexts(log, 'a', 0)).toEqual(['before', ...answered, 'after']);
    expect(log.unavailableReason).toBeNull();
    await log.close();
  });

  test('does not hold up a close, which refuses what waits', async () => {
    const disk = new SimDisk(new SimRandom(3));
    const log = await openLog(disk.session(), { clock: new VirtualClock() });
    await log.createTopic('a', 1);
    disk.faults = failing;
    const inFlight = log.append([textRecord('a', 'in flight')]);
    const refused = expect(inFlight).rejects.toMatchObject({ code: 'log-unavailable' });
    await until('the log is unavailable', () => !log.available);
    await log.close();
    await refused;
  });
});

describe('closing', () => {
  test('waits for what was offered before, and refuses what comes later', async () => {
    const disk = new SimDisk(new SimRandom(4));
    const log = await openLog(disk.session(), { commitIntervalMs: 20 });
    await log.createTopic('a', 1);
    const offered = ['x', 'y'].map((text) => log.append([textRecord('a', text)]));
    const closed = log.close();
    await expect(log.append([textRecord('a', 'late')])).rejects.toMatchObject({
      code: 'log-unavailable',
      message: expect.stringMatching(/stopping/),
    });
    await closed;
    await Promise.all(offered);
    const again = await openLog(disk.session());
    expect(await readTexts(again, 'a', 0)).toEqual(['x', 'y']);
    await again.close();
  });

  test('during a recovery that succeeds leaves the log closed all the same', async () => {
    const { disk, log } = await logWithOneFault(7);
    disk.faults = { syncFails: 1, writeFails: 0 };
    const offered = log.append([textRecord('a', 'x')]);
    const closed = log.close();
    await Promise.allSettled([offered, closed]);
    await expect(log.append([textRecord('a', 'late')])).rejects.toMatchObject({ code: 'log-unavailable' });
    expect(log.available).toBe(false);
  });

  test('twice is closing once', async () => {
    const log = await openLog(new SimDisk(new SimRandom(5)).session());
    await Promise.all([log.close(), log.close()]);
  });
});

test('a log that cannot be recovered at its start says so with the disk’s error', async () => {
  const disk = new SimDisk(new SimRandom(6));
  disk.faults = failing;
  await expect(openLog(disk.session())).rejects.toThrowError(/EIO/);
  disk.faults = noFaults;
  const log = await openLog(disk.session());
  await log.close();
});
