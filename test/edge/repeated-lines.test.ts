import { expect, test } from 'vitest';
import { BoundedLogger } from '../../src/core/bounded-logger.ts';
import type { Clock } from '../../src/core/clock.ts';
import { limits } from '../../src/core/limits.ts';
import type { Logger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { openLog } from '../../src/edge/open-log.ts';
import { Outage } from '../../src/forwarder/progress/outage.ts';
import { Refusals } from '../../src/ingest/mqtt/refusals.ts';
import { HourlyLines } from '../support/hourly-lines.ts';
import { neverSeal, openLog as openSmallLog, textRecord } from '../support/log-on-disk.ts';
import { SimClock } from '../support/sim-clock.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

const DAY_MS = 24 * 3_600_000;

/** Lets something fail for a day. */
type Failing = (logger: Logger, clock: Clock) => Promise<void>;

/** Virtual time until a day has passed; who sleeps then is not woken unless it is stopped. */
function aDay(clock: Clock): { readonly clock: Clock; readonly isOver: AbortSignal } {
  const over = new AbortController();
  const sleep: Clock['sleep'] = async (ms, signal) => {
    // So that what waits for the event loop has its turn as well.
    await new Promise(setImmediate);
    await clock.sleep(ms, signal);
    if (clock.monotonicMs() >= DAY_MS) over.abort();
  };
  const day = { wallMs: () => clock.wallMs(), monotonicMs: () => clock.monotonicMs(), sleep };
  return { clock: day, isOver: over.signal };
}

const untilOver = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const parts: Readonly<Record<string, Failing>> = {
  'a log that cannot be opened': async (logger, allTime) => {
    const { clock, isOver } = aDay(allTime);
    const disk = new SimDisk(new SimRandom(1));
    disk.faults = { nameFails: 1, folderSyncFails: 1 };
    const options = { clock, random: new SimRandom(2), logger, metrics: noMetrics, disk: disk.session() };
    const opened = openLog({ ...options, dataDir: '/data', version: '1.2.3', commitIntervalMs: 0 }, isOver);
    await expect(opened).rejects.toMatchObject({ code: 'data-folder-unusable' });
  },
  'a log that cannot be recovered': async (logger, allTime) => {
    const { clock, isOver } = aDay(allTime);
    const disk = new SimDisk(new SimRandom(3));
    const log = await openSmallLog(disk.session(), { clock, logger, sealer: neverSeal });
    await log.createTopic('a', 1);
    disk.faults = { syncFails: 1, writeFails: 1 };
    const refused = expect(log.append([textRecord('a', 'in flight')])).rejects.toMatchObject({
      code: 'log-unavailable',
    });
    await untilOver(isOver);
    await log.close();
    await refused;
  },
  'sealing that fails': async (logger, allTime) => {
    const { clock, isOver } = aDay(allTime);
    const full = () => Promise.reject(Object.assign(new Error('ENOSPC'), { syscall: 'write' }));
    const sealer = { seal: full, setCommitting() {} };
    const log = await openSmallLog(new SimDisk(new SimRandom(3)).session(), { clock, logger, sealer });
    await log.createTopic('a', 1);
    for (let index = 0; index < 40; index += 1) await log.append([textRecord('a', `${index}`.repeat(2_000))]);
    await untilOver(isOver);
    await log.close();
  },
  'clients that are refused': async (logger, clock) => {
    const refusals = new Refusals(clock, logger, noMetrics);
    for (let second = 0; second < DAY_MS / 1000; second += 1) {
      refusals.connection('bad-login', { client: `${second}` }, `no user ${second}`);
      await clock.sleep(1000);
      refusals.sweep();
    }
  },
  'a link that comes and goes': async (logger, clock) => {
    const outage = new Outage(clock, logger);
    for (let minute = 0; minute < DAY_MS / 60_000; minute += 1) {
      outage.failed({ kind: 'unreachable', message: `no route ${minute}` }, false);
      await clock.sleep(60_000);
      outage.ended(minute);
    }
  },
};

test.each(Object.entries(parts))('%s, a whole day long, writes few lines an hour', async (name, fail) => {
  const clock = new SimClock();
  const lines = new HourlyLines(clock);
  await fail(new BoundedLogger(lines, clock), clock);
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(DAY_MS);
  expect(lines.all.length).toBeGreaterThan(24);
  // Beside what is repeated, a line that tells how much was left out, and what is said once.
  const most =
    name.startsWith('a log') || name.startsWith('sealing') ? limits.logSameLinesMax + 3 : limits.logLinesMax;
  expect(lines.mostInAnHour).toBeLessThanOrEqual(most);
});
