import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { Housekeeping, type HousekeepingOptions } from '../../src/edge/housekeeping.ts';
import { unmirrored } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

const gib = 2 ** 30;

function setup(disk: SimDisk, more: Partial<HousekeepingOptions> = {}): HousekeepingOptions {
  return {
    disk: disk.session(),
    clock: new VirtualClock(),
    logger: silentLogger,
    metrics: noMetrics,
    forwarding: unmirrored,
    budgetBytes: undefined,
    freeBytes: async () => 6 * gib,
    isClockSet: async () => true,
    otherBytes: () => 0,
    ...more,
  };
}

/** The budget that a start decides on. */
const budgetOf = async (options: HousekeepingOptions): Promise<number> =>
  (await Housekeeping.open(options)).retention.budgetBytes;

const newDisk = (): SimDisk => new SimDisk(new SimRandom(1));

describe('the disk budget', () => {
  test('is what the configuration says, whatever was decided before', async () => {
    const disk = newDisk();
    expect(await budgetOf(setup(disk))).toBe(3 * gib);
    expect(await budgetOf(setup(disk, { budgetBytes: 5 * gib }))).toBe(5 * gib);
  });

  test('is half of what is free at the first start, within bounds, and stays so over a power cut', async () => {
    const disk = newDisk();
    expect(await budgetOf(setup(disk))).toBe(3 * gib);
    disk.cutPower();
    expect(await budgetOf(setup(disk, { freeBytes: async () => gib }))).toBe(3 * gib);
    expect(await budgetOf(setup(newDisk(), { freeBytes: async () => 100 * gib }))).toBe(4 * gib);
    expect(await budgetOf(setup(newDisk(), { freeBytes: async () => 1 }))).toBe(limits.budgetBytesMin);
  });

  test('is decided again when the file is damaged, or cannot be written', async () => {
    const disk = newDisk();
    const file = await disk.session().create('budget.json');
    await file.writeAt(Buffer.from('{"budgetBytes":"x"}'), 0);
    expect(await budgetOf(setup(disk))).toBe(3 * gib);
    const full = newDisk();
    full.budgetBytes = 0;
    expect(await budgetOf(setup(full))).toBe(3 * gib);
  });
});

describe('the log', () => {
  test('is asked to look every now and then, and hears when the clock is set', async () => {
    let isSet = false;
    let looks = 0;
    const keeping = await Housekeeping.open(setup(newDisk(), { isClockSet: async () => isSet }));
    const { isClockSet } = keeping.retention;
    const early = await Housekeeping.open(setup(newDisk()));
    // A commit right after the start must know already.
    expect(early.retention.isClockSet()).toBe(true);
    keeping.start({
      stats: () => ({ usedBytes: 0 }),
      keepHouse: () => {
        looks += 1;
      },
    });
    await until('it was asked', () => looks > 2);
    expect(isClockSet()).toBe(false);
    isSet = true;
    await until('it has heard', isClockSet);
    await keeping.stop();
    const last = looks;
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks).toBe(last);
  });
});
