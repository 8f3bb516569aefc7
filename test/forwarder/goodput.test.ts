import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { GoodputMeter } from '../../src/forwarder/progress/goodput.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const windowMs = limits.goodputBucketMs * limits.goodputBuckets;

/** So many seconds in which each second so much happens. */
function run(
  meter: GoodputMeter,
  seconds: { readonly from: number; readonly to: number },
  each: { readonly acknowledged?: number; readonly arrived?: number },
): number {
  for (let second = seconds.from; second < seconds.to; second += 1) {
    meter.arrived(each.arrived ?? 0, second * SECOND);
    if (each.acknowledged !== undefined)
      meter.acknowledged(each.acknowledged, each.acknowledged * 30, second * SECOND);
  }
  return seconds.to * SECOND;
}

describe('goodput', () => {
  test('is what was acknowledged a second, in records and in bytes, beside what arrived', () => {
    const meter = new GoodputMeter(0);
    const nowMs = run(meter, { from: 0, to: 1000 }, { acknowledged: 50, arrived: 20 });
    const { windowSeconds, ...rates } = meter.goodput(nowMs);
    expect(windowSeconds).toBeGreaterThan(windowMs / SECOND - limits.goodputBucketMs / SECOND - 1);
    expect(windowSeconds).toBeLessThanOrEqual(windowMs / SECOND);
    expect(rates.recordsPerSecond).toBeCloseTo(50, 0);
    expect(rates.bytesPerSecond).toBeCloseTo(1500, -2);
    expect(rates.arrivingRecordsPerSecond).toBeCloseTo(20, 0);
  });

  test('is nothing once nothing was acknowledged for as long as the window', () => {
    const meter = new GoodputMeter(0);
    run(meter, { from: 0, to: 100 }, { acknowledged: 50 });
    expect(meter.goodput(100 * SECOND + windowMs)).toMatchObject({ recordsPerSecond: 0, bytesPerSecond: 0 });
    expect(meter.drain(10, 100 * SECOND + windowMs)).toEqual({ state: 'unknown', secondsLeft: null });
  });

  test('is right at once after a long outage, and honest about a short one', () => {
    const long = new GoodputMeter(0);
    run(long, { from: 0, to: 100 }, { acknowledged: 50 });
    long.resumed(HOUR, HOUR + 2 * SECOND);
    long.acknowledged(1000, 1, HOUR + 2 * SECOND);
    expect(long.goodput(HOUR + 2 * SECOND)).toMatchObject({ windowSeconds: 2, recordsPerSecond: 500 });
    const short = new GoodputMeter(0);
    run(short, { from: 0, to: 100 }, { acknowledged: 50 });
    short.resumed(190 * SECOND, 200 * SECOND);
    short.acknowledged(1000, 1, 200 * SECOND);
    expect(short.goodput(200 * SECOND).recordsPerSecond).toBe((100 * 50 + 1000) / 200);
  });

  test('is not a flood because the first flush took a millisecond', () => {
    const meter = new GoodputMeter(0);
    meter.acknowledged(100, 1, 1);
    expect(meter.goodput(1).recordsPerSecond).toBe(100);
  });
});

describe('the time until the backlog is gone', () => {
  test('is what waits by what leaves, less what arrives', () => {
    const meter = new GoodputMeter(0);
    const nowMs = run(meter, { from: 0, to: 200 }, { acknowledged: 50, arrived: 10 });
    const drain = meter.drain(4000, nowMs);
    expect(drain.state).toBe('draining');
    expect(drain.secondsLeft).toBeCloseTo(100, 0);
  });

  test('is never while as much arrives as leaves, or more', () => {
    const meter = new GoodputMeter(0);
    const nowMs = run(meter, { from: 0, to: 200 }, { acknowledged: 50, arrived: 50 });
    expect(meter.drain(1, nowMs)).toEqual({ state: 'never', secondsLeft: null });
  });
});

describe('the last day', () => {
  test('is what was acknowledged and what went over the link in 24 hours, at first since the start', () => {
    const meter = new GoodputMeter(0);
    meter.acknowledged(1, 1000, HOUR);
    meter.wrote(1500, HOUR);
    expect(meter.lastDay(2 * HOUR)).toEqual({
      seconds: 7200,
      bytesAcknowledged: 1000,
      linkBytesWritten: 1500,
    });
    meter.acknowledged(1, 10, 20 * HOUR);
    expect(meter.lastDay(23 * HOUR).bytesAcknowledged).toBe(1010);
    const later = meter.lastDay(26 * HOUR);
    expect(later).toMatchObject({ bytesAcknowledged: 10, linkBytesWritten: 0 });
    expect(later.seconds).toBeLessThanOrEqual(24 * 3600);
    expect(later.seconds).toBeGreaterThan(23.7 * 3600);
  });
});
