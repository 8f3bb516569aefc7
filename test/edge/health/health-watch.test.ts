import { afterEach, expect, test } from 'vitest';
import type { Disk, DiskFile } from '../../../src/core/disk.ts';
import { OperatingError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { HealthWatch, type WatchedLog } from '../../../src/edge/health/health-watch.ts';
import type { Log, LogOptions } from '../../../src/log/log.ts';
import { openLog, textRecord, unmirrored } from '../../support/log-on-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { noFaults, type SimDisk } from '../../support/sim-disk.ts';
import { SimServiceManager } from '../../support/sim-service-manager.ts';
import { newDisk, type Report } from '../../support/small-segments.ts';
import { turns } from '../../support/turns.ts';

const usualWatchdogMs = 90_000;
const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

/** The same disk with syncs that do not return while `held` is set. */
function hangingDisk(disk: Disk) {
  const hang: { held: Promise<void> | null } = { held: null };
  const wrapped = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    readAt: (into, at) => file.readAt(into, at),
    close: () => file.close(),
    writeAt: (bytes, at) => file.writeAt(bytes, at),
    truncate: (bytes) => file.truncate(bytes),
    sync: async () => {
      await hang.held;
      await file.sync();
    },
  });
  const held: Disk = {
    list: (folder) => disk.list(folder),
    makeFolder: (folder) => disk.makeFolder(folder),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncFolder: (folder) => disk.syncFolder(folder),
    create: async (path) => wrapped(await disk.create(path)),
    open: async (path) => wrapped(await disk.open(path)),
  };
  return { hang, disk: held };
}

/** A log on a simulated disk, watched; time passes only as the test says. */
async function watched(
  options: { mirror?: () => string | null; log?: Partial<LogOptions>; watchdogMs?: number } = {},
) {
  const clock = new ManualClock();
  const sim: SimDisk = newDisk();
  const { hang, disk } = hangingDisk(sim.session());
  const log = await openLog(disk, { clock, journalFileBytes: 1024 * 1024, ...options.log });
  await log.createTopic('a', 1);
  const manager = new SimServiceManager({ clock, watchdogMs: options.watchdogMs ?? usualWatchdogMs });
  const lines: Report[] = [];
  const report = (fields: object, message: string): void => void lines.push({ ...fields, message });
  const logger = { ...silentLogger, error: report, info: report };
  const watch = new HealthWatch({ log, manager, mirror: options.mirror ?? (() => null), clock, logger });
  open.push(watch);
  watch.begin();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.pass(1_000);
      await turns();
    }
  };
  return {
    clock,
    sim,
    hang,
    log,
    manager,
    watch,
    lines,
    pass,
    messages: () => lines.map(({ message }) => message),
  };
}

const append = (log: Log) => log.append([textRecord('a', 'x')]);

test('an idle gateway stays alive by one commit of a block in each third of the watchdog, and readers see nothing of it', async () => {
  const { sim, log, manager, watch, pass, messages } = await watched();
  const before = { ...sim.counts };
  await pass(3_600_000);
  expect(manager.ended).toBeNull();
  expect(manager.pings).toBe(120);
  expect(sim.counts.fdatasync - before.fdatasync).toBe(120);
  expect(log.partitions()).toMatchObject([{ topic: 'a', highWatermark: 0 }]);
  expect(watch.report()).toEqual({ isHealthy: true, reasons: [] });
  expect(messages()).toEqual([]);
});

test('while readings come nothing is written for it', async () => {
  const { sim, log, manager, pass } = await watched();
  const before = { ...sim.counts };
  for (let count = 0; count < 100; count += 1) {
    await append(log);
    await pass(10_000);
  }
  expect(manager.ended).toBeNull();
  expect(manager.pings).toBe(33);
  expect(sim.counts.fdatasync - before.fdatasync).toBe(100);
});

test('a commit that hangs ends the pings: it is told, and the service is ended', async () => {
  const { hang, log, manager, watch, pass, messages } = await watched();
  await pass(60_000);
  const pings = manager.pings;
  const held = Promise.withResolvers<void>();
  hang.held = held.promise;
  const reading = append(log);
  await pass(60_000);
  expect(manager.ended).toBeNull();
  expect(messages()).toEqual([
    expect.stringMatching(
      /^no commit completes, and nothing is acknowledged: .* if that lasts 30 s longer, the watchdog ends/,
    ),
  ]);
  expect(watch.report()).toEqual({
    isHealthy: false,
    reasons: ['no commit has completed for 30 s: the disk does not answer'],
  });
  expect(manager.statuses.at(-1)).toMatch(/^stuck: no commit has completed for 30 s/);
  await pass(31_000);
  expect(manager.pings).toBe(pings);
  expect(manager.ended).toBe('ready');
  held.resolve();
  await reading;
});

test('a hang that ends in time costs nothing', async () => {
  const { hang, log, manager, watch, pass, messages } = await watched();
  const held = Promise.withResolvers<void>();
  hang.held = held.promise;
  await pass(80_000);
  expect(watch.report().isHealthy).toBe(false);
  hang.held = null;
  held.resolve();
  await turns(10);
  expect(watch.report()).toEqual({ isHealthy: true, reasons: [] });
  await pass(600_000);
  expect(manager.ended).toBeNull();
  expect(messages()).toEqual([expect.stringContaining('no commit completes'), 'commits complete again']);
  await append(log);
});

test('a medium that fails is a state that is held: the pings go on, and the status says why', async () => {
  const { sim, log, manager, watch, pass } = await watched();
  sim.faults = { syncFails: 1, writeFails: 1, nameFails: 1 };
  const reading = append(log);
  await pass(3_600_000);
  expect(manager.ended).toBeNull();
  expect(watch.report()).toMatchObject({
    isHealthy: true,
    reasons: [expect.stringContaining('the disk says')],
  });
  expect(manager.statuses.at(-1)).toMatch(/^degraded: the log cannot make anything durable/);
  sim.faults = noFaults;
  await pass(20_000);
  await reading;
  await pass(300_000);
  expect(manager.ended).toBeNull();
  expect(manager.statuses.at(-1)).toMatch(/^storing/);
});

test('so it is with a watchdog that waits for less time than lies between two attempts to recover', async () => {
  const { sim, log, manager, watch, pass } = await watched({ watchdogMs: 6_000 });
  sim.faults = { syncFails: 1, writeFails: 1, nameFails: 1 };
  const reading = append(log);
  await pass(600_000);
  expect(manager.ended).toBeNull();
  expect(watch.report().isHealthy).toBe(true);
  sim.faults = noFaults;
  await pass(20_000);
  await reading;
});

test('a medium that fails and then does not answer any more is no state to be held', async () => {
  const { sim, hang, log, manager, watch, pass } = await watched({ log: { journalFileBytes: 64 * 1024 } });
  sim.faults = { syncFails: 1, writeFails: 0, nameFails: 0 };
  const reading = append(log).catch(() => undefined);
  await pass(200_000);
  expect(manager.ended).toBeNull();
  const held = Promise.withResolvers<void>();
  hang.held = held.promise;
  await pass(150_000);
  expect(manager.ended).toBe('ready');
  expect(watch.report().isHealthy).toBe(false);
  hang.held = null;
  sim.faults = noFaults;
  held.resolve();
  await pass(30_000);
  await reading;
});

test('a disk budget that is used up is such a state as well', async () => {
  const retention = { budgetBytes: 1, forwarding: unmirrored, isClockSet: () => true };
  const { sim, log, manager, watch, pass } = await watched({ log: { retention } });
  await expect(append(log)).rejects.toMatchObject({ code: 'log-unavailable' });
  const before = { ...sim.counts };
  await pass(3_600_000);
  expect(manager.ended).toBeNull();
  expect(manager.pings).toBe(120);
  expect(sim.counts.fdatasync).toBe(before.fdatasync);
  expect(watch.report()).toMatchObject({ isHealthy: true, reasons: [expect.stringContaining('budget')] });
});

test('what the mirror says is told, once a minute at most, and never judged', async () => {
  let looks = 0;
  const mirror = (): string => {
    looks += 1;
    return `no broker can be reached since ${looks} looks`;
  };
  const { manager, watch, pass } = await watched({ mirror });
  await pass((31 * 24 * 3600 * 1000) / 100);
  expect(manager.ended).toBeNull();
  expect(watch.report().isHealthy).toBe(true);
  expect(manager.statuses.length).toBeGreaterThan(400);
  expect(manager.statuses.length).toBeLessThanOrEqual((31 * 24 * 60) / 100 + 1);
});

test('a log that takes nothing more, because too much waits and nothing of it is committed, is stuck', async () => {
  const clock = new ManualClock();
  const manager = new SimServiceManager({ clock, watchdogMs: 30_000 });
  const log: WatchedLog = {
    available: true,
    unavailableReason: null,
    stats: () => ({ commits: 7, failedRecoveries: 0, isRecovering: false }),
    checkCommit: () => Promise.reject(new OperatingError('log-overloaded', '32 MiB wait')),
  };
  const watch = new HealthWatch({ log, manager, mirror: () => null, clock, logger: silentLogger });
  open.push(watch);
  watch.begin();
  for (let second = 0; second < 31; second += 1) {
    clock.pass(1_000);
    await turns();
  }
  expect(manager).toMatchObject({ pings: 0, ended: 'ready' });
  expect(watch.report().isHealthy).toBe(false);
});

test('nothing is looked at or told any more once it is stopped', async () => {
  const { manager, watch, log, pass } = await watched();
  await watch.stop();
  const { length } = manager.told;
  const { commits } = log.stats();
  await pass(600_000);
  expect(manager.told).toHaveLength(length);
  expect(log.stats().commits).toBe(commits);
});
