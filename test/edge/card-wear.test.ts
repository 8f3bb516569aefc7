import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { StorageDevice } from '../../src/core/storage-device.ts';
import { addTotals, decodeTotals, encodeTotals, noTotals } from '../../src/edge/card-totals.ts';
import { CardWear, type CardWearOptions } from '../../src/edge/card-wear.ts';
import { MetricsRegistry } from '../../src/edge/metrics-registry.ts';
import { RunTotals } from '../../src/edge/run-totals.ts';
import { CountedDisk } from '../../src/platform/counted-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { until } from '../support/virtual-time.ts';

const HOUR_MS = 3_600_000;
const block = limits.deviceBlockBytes;

const eMmc: StorageDevice = {
  name: 'mmcblk0p3',
  isShared: false,
  bytesWritten: 5_000_000,
  life: { usedShareMax: 0.3, reserve: 'normal' },
};

/** One run of a gateway that writes only what the test says. */
async function run(sim: SimDisk, options: Partial<CardWearOptions> = {}) {
  const totals = new RunTotals(noMetrics);
  const disk = new CountedDisk(sim.session(), totals);
  const clock = new ManualClock();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) };
  const card = await CardWear.open({
    disk,
    thisRun: () => totals.totals(),
    endurance: 1e12,
    readDevice: () => Promise.resolve(null),
    clock,
    logger,
    metrics: noMetrics,
    ...options,
  });
  card.start();
  let at = 0;
  /** A commit of so many blocks, which hold that much payload. */
  const store = async (blocks: number, payloadBytes: number): Promise<void> => {
    const file = at === 0 ? await disk.create('journal/1.journal') : await disk.open('journal/1.journal');
    await file.writeAt(new Uint8Array(blocks * block), at);
    await file.sync();
    await file.close();
    at += blocks * block;
    totals.add('headwater_payload_bytes_total', payloadBytes);
  };
  return { card, clock, warnings, store };
}

const newDisk = (): SimDisk => new SimDisk(new SimRandom(1));
const replacements = (sim: SimDisk): { count: number } => {
  const seen = { count: 0 };
  sim.onOperation = ({ what }) => {
    if (what === 'rename to card.json') seen.count += 1;
  };
  return seen;
};

/** Puts these bytes where the totals of the runs before should be. */
async function plantFile(sim: SimDisk, bytes: Uint8Array): Promise<void> {
  const file = await sim.session().create('card.json');
  await file.writeAt(bytes, 0);
}

describe('the count of what the card is given', () => {
  test('goes on where the last run stopped, its own file included', async () => {
    const sim = newDisk();
    const first = await run(sim);
    await first.store(10, 900_000);
    await first.card.stop();
    const stopped = await first.card.status();
    expect(stopped).toMatchObject({
      payloadBytes: 900_000,
      deviceBytes: { journal: 10 * block, segments: 0, other: block, metadata: 3 * limits.metadataSyncBytes },
    });
    // Too little payload yet.
    expect(stopped.deviceBytesPerPayloadByte).toBeNull();
    const second = await run(sim);
    expect(await second.card.status()).toEqual(stopped);
    await second.store(5, 100_000);
    const { payloadBytes, deviceBytes, deviceBytesPerPayloadByte } = await second.card.status();
    expect({ payloadBytes, journal: deviceBytes.journal }).toEqual({
      payloadBytes: 1_000_000,
      journal: 15 * block,
    });
    const total = 16 * block + 4 * limits.metadataSyncBytes;
    expect(deviceBytesPerPayloadByte).toBe(total / 1_000_000);
    expect(second.warnings).toEqual([]);
  });

  test('is kept once an hour and at a stop, and not at all when there is nothing new', async () => {
    const sim = newDisk();
    const kept = replacements(sim);
    const { card, clock, store } = await run(sim);
    for (let minute = 0; minute < 59; minute += 1) {
      await store(1, 100);
      clock.pass(60_000);
    }
    expect(kept.count).toBe(0);
    clock.pass(60_000);
    await until('the first hour is kept', () => kept.count === 1);
    clock.pass(HOUR_MS);
    await store(1, 100);
    clock.pass(HOUR_MS);
    await until('the third hour is kept', () => kept.count === 2);
    await card.stop();
    expect(kept.count).toBe(2);
    const next = await run(sim);
    await next.card.stop();
    expect(kept.count).toBe(2);
  });

  test('survives a power cut at any moment of its writing, as it was before or after', async () => {
    for (let operations = 1; operations < 24; operations += 1) {
      const sim = new SimDisk(new SimRandom(operations));
      const first = await run(sim);
      await first.store(1, 100);
      await first.card.stop();
      const second = await run(sim);
      await second.store(1, 100);
      await Promise.race([sim.dieAfter(operations), second.card.stop()]);
      sim.cutPower();
      const { card, warnings } = await run(sim);
      expect(warnings).toEqual([]);
      expect([100, 200]).toContain((await card.status()).payloadBytes);
    }
  });

  test.each([
    ['', 'it is not JSON'],
    ['{"version":1,"payloadBytes":12', 'it is not JSON'],
    ['null', 'its version is not 1'],
    ['{"version":2,"payloadBytes":1}', 'its version is not 1'],
    ['{"version":1,"payloadBytes":1}', 'a count in it is none'],
    [
      Buffer.from(encodeTotals(noTotals)).toString().replace('"payloadBytes":0', '"payloadBytes":-1'),
      'a count in it is none',
    ],
  ])('begins anew from %j, and says so', async (text, reason) => {
    expect(decodeTotals(Buffer.from(text))).toEqual({ reason });
    const sim = newDisk();
    await plantFile(sim, Buffer.from(text));
    const { card, warnings } = await run(sim);
    expect(warnings).toEqual([expect.stringContaining('card.json cannot be used')]);
    expect(await card.status()).toMatchObject({
      payloadBytes: 0,
      deviceBytesPerPayloadByte: null,
      usedShare: 0,
    });
  });

  test('a disk that refuses costs a warning, not the stop', async () => {
    const sim = newDisk();
    const { card, store, warnings } = await run(sim);
    await store(1, 100);
    sim.faults = { syncFails: 1 };
    await card.stop();
    expect(warnings).toEqual([expect.stringContaining('will be missing after a restart')]);
  });
});

describe('what the count means', () => {
  test('is a share of the endurance, and years at the rate of the last day', async () => {
    const { card, clock, store } = await run(newDisk());
    await store(250, 1_000_000);
    expect(await card.status()).toMatchObject({ bytesPerDay: null, yearsLeft: null });
    clock.pass(HOUR_MS - 1);
    expect((await card.status()).bytesPerDay).toBeNull();
    clock.pass(1);
    const { bytesPerDay, yearsLeft, usedShare, endurance } = await card.status();
    const written = 250 * block + limits.metadataSyncBytes;
    expect(bytesPerDay).toBe(24 * written);
    expect(usedShare).toBe(written / 1e12);
    expect(yearsLeft).toBeCloseTo((1e12 - written) / (24 * written) / 365.25, 6);
    expect(endurance).toEqual({ bytes: 1e12, isEstimate: false });
  });

  test('forgets what was before the last day', async () => {
    const sim = newDisk();
    const kept = replacements(sim);
    const { card, clock, store } = await run(sim);
    await store(200, 1);
    for (let hour = 1; hour <= 25; hour += 1) {
      await store(1, 1);
      clock.pass(HOUR_MS);
      await until('the hour is kept', () => kept.count === hour);
    }
    // 24 commits and, because it is kept after the look at an hour's end, 25 times the file.
    const written = 24 * (block + limits.metadataSyncBytes) + 25 * (block + 2 * limits.metadataSyncBytes);
    expect((await card.status()).bytesPerDay).toBe(written);
  });

  test('is an estimate of the endurance, too, when nobody has said it', async () => {
    const { card } = await run(newDisk(), { endurance: undefined });
    expect((await card.status()).endurance).toEqual({ bytes: 16e12, isEstimate: true });
  });

  test('a card that is worn beyond its endurance has no years left', async () => {
    const sim = newDisk();
    const deviceBytes = { ...noTotals.deviceBytes, journal: 3e12 };
    await plantFile(sim, encodeTotals({ payloadBytes: 1e12, deviceBytes }));
    const { card, clock, store } = await run(sim);
    await store(1, 100);
    clock.pass(HOUR_MS);
    const { usedShare, yearsLeft, deviceBytesPerPayloadByte } = await card.status();
    expect(yearsLeft).toBe(0);
    expect(usedShare).toBeCloseTo(3, 3);
    expect(deviceBytesPerPayloadByte).toBeCloseTo(3, 3);
  });
});

describe('the device under the data', () => {
  test('is told with what it was given in this run and its own life', async () => {
    let device: StorageDevice | null = eMmc;
    const { card } = await run(newDisk(), { readDevice: () => Promise.resolve(device) });
    expect((await card.status()).device).toEqual({ ...eMmc, bytesWritten: 0 });
    device = { ...eMmc, bytesWritten: 5_700_000 };
    expect((await card.status()).device).toEqual({ ...eMmc, bytesWritten: 700_000 });
    device = null;
    expect((await card.status()).device).toBeNull();
  });

  test('and all of it is in the metrics', async () => {
    const metrics = new MetricsRegistry();
    let device = eMmc;
    const { card, clock, store } = await run(newDisk(), {
      metrics,
      readDevice: () => Promise.resolve(device),
    });
    await card.report();
    const early = await metrics.render();
    expect(early).toMatch(/^headwater_device_bytes_per_payload_byte NaN$/im);
    expect(early).toMatch(/^headwater_card_years_left NaN$/im);
    await store(10, 2_000_000);
    clock.pass(HOUR_MS);
    device = { ...eMmc, bytesWritten: 5_700_000 };
    await card.report();
    await card.report();
    const text = await metrics.render();
    const written = 10 * block + limits.metadataSyncBytes;
    expect(text).toContain(`headwater_device_bytes_per_payload_byte ${written / 2_000_000}\n`);
    expect(text).toContain(`headwater_card_endurance_used_ratio ${written / 1e12}\n`);
    expect(text).toMatch(/^headwater_card_years_left \d+/m);
    expect(text).toContain('headwater_storage_device_bytes_written_total{device="mmcblk0p3"} 700000\n');
    expect(text).toContain('headwater_storage_device_life_used_ratio{device="mmcblk0p3"} 0.3\n');
  });
});

test('totals add up kind by kind', () => {
  const one = { payloadBytes: 1, deviceBytes: { journal: 2, segments: 3, other: 4, metadata: 5 } };
  expect(addTotals(one, one)).toEqual({
    payloadBytes: 2,
    deviceBytes: { journal: 4, segments: 6, other: 8, metadata: 10 },
  });
});
