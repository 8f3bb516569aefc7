import { expect, test } from 'vitest';
import type { Disk } from '../../src/core/disk.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { openLog } from '../../src/edge/open-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

/** A disk whose first calls fail. */
function failing(code: string, calls: number): Disk {
  let left = calls;
  return new Proxy(new SimDisk(new SimRandom(1)).session(), {
    get: (disk, name) => {
      const method = Reflect.get(disk, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        if (left === 0) return Reflect.apply(method, disk, args);
        left -= 1;
        return Promise.reject(Object.assign(new Error(`${code}: no luck`), { code, syscall: 'open' }));
      };
    },
  });
}

function opening(disk: Disk) {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const parts = { clock, random: new SimRandom(2), logger: silentLogger, metrics: noMetrics };
  const options = { ...parts, disk, dataDir: '/site/data', version: '1.2.3', commitIntervalMs: 0 };
  return { clock, stopping, log: openLog(options, stopping.signal) };
}

test('a disk that is full or fails is tried again until it recovers', async () => {
  const { clock, log } = opening(failing('EIO', 2));
  const passing = setInterval(() => clock.pass(1_000), 1);
  try {
    await (await log).close();
  } finally {
    clearInterval(passing);
  }
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(3_000);
});

test('what time does not mend is told at once, with what to do', async () => {
  await expect(opening(failing('EACCES', 1)).log).rejects.toMatchObject({
    code: 'data-folder-unusable',
    message: expect.stringMatching(/the log in \/site\/data cannot be opened: EACCES.*let this user write/),
  });
});

test('nobody waits for a disk after the signal', async () => {
  const { stopping, log } = opening(failing('ENOSPC', Number.POSITIVE_INFINITY));
  stopping.abort();
  await expect(log).rejects.toMatchObject({ code: 'data-folder-unusable' });
});
