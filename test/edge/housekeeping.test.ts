import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { Housekeeping, type HousekeepingOptions } from '../../src/edge/housekeeping.ts';
import type { Retention } from '../../src/log/types.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

const gib = 2 ** 30;

interface Kept {
  retention: Retention | undefined;
  looks: number;
}

function setup(disk: SimDisk, more: Partial<HousekeepingOptions> = {}): HousekeepingOptions & { kept: Kept } {
  const kept: Kept = { retention: undefined, looks: 0 };
  return {
    kept,
    log: {
      retain: (retention) => {
        kept.retention = retention;
      },
      keepHouse: () => {
        kept.looks += 1;
      },
    },
    disk: disk.session(),
    clock: new VirtualClock(),
    logger: silentLogger,
    metrics: noMetrics,
    forwarding: { isMirrored: () => false, confirmedOffset: () => 0, undecidedOffset: () => 0 },
    budgetBytes: undefined,
    freeBytes: async () => 6 * gib,
    isClockSet: async () => true,
    ...more,
  };
}

/** The budget that a start decides on. */
async function budgetOf(options: HousekeepingOptions): Promise<number> {
  const keeping = await Housekeeping.start(options);
  await keeping.stop();
  return keeping.budgetBytes;
}

const newDisk = (): SimDisk => new SimDisk(new SimRandom(1));

describe('the disk budget', () => {
  test('is what the configuration says, whatever was decided before', async () => {
    const disk = newDisk();
    expect(await budgetOf(setup(disk))).toBe(3 * gib);
    const options = setup(disk, { budgetBytes: 5 * gib });
    expect(await budgetOf(options)).toBe(5 * gib);
    expect(options.kept.retention?.budgetBytes).toBe(5 * gib);
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
    const options = setup(newDisk(), { isClockSet: async () => isSet });
    const keeping = await Housekeeping.start(options);
    expect(options.kept.retention?.isClockSet()).toBe(false);
    await until('it was asked', () => options.kept.looks > 2);
    isSet = true;
    await until('it has heard', () => options.kept.retention?.isClockSet() === true);
    await keeping.stop();
    const { looks } = options.kept;
    await new Promise((resolve) => setImmediate(resolve));
    expect(options.kept.looks).toBe(looks);
  });
});
