import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { LinkPace } from '../../src/forwarder/link-pace.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Requests of these sizes, asked for all at once; when each of them left, milliseconds. */
async function leave(pace: LinkPace, clock: ManualClock, sizes: readonly number[], untilMs: number) {
  const left: number[] = [];
  for (const bytes of sizes) void pace.take(bytes).then(() => left.push(clock.monotonicMs()));
  for (let passed = 0; passed <= untilMs; passed += 10) {
    await setImmediate();
    clock.pass(10);
  }
  return left;
}

describe('the pace of the link', () => {
  test('is the rate that was asked for, in the order of the requests', async () => {
    const clock = new ManualClock();
    const left = await leave(new LinkPace(clock, 1000), clock, [500, 1000, 250, 250], 3000);
    expect(left).toEqual([0, 500, 1500, 1750]);
  });

  test('gives no credit for the time in which nothing was sent', async () => {
    const clock = new ManualClock();
    const pace = new LinkPace(clock, 1000);
    clock.pass(60_000);
    expect(await leave(pace, clock, [100, 100, 100], 1000)).toEqual([60_000, 60_100, 60_200]);
  });

  test('holds nothing back without a rate', async () => {
    const clock = new ManualClock();
    expect(await leave(new LinkPace(clock, null), clock, [1e9, 1e9, 1e9], 0)).toEqual([0, 0, 0]);
  });

  test('lets everybody go when the connections are closed, and holds back who comes later', async () => {
    const clock = new ManualClock();
    const pace = new LinkPace(clock, 1000);
    const waiting = Promise.all([pace.take(1000), pace.take(1000), pace.take(1000)]);
    pace.release();
    await waiting;
    expect(await leave(pace, clock, [1000, 1], 3000)).toEqual([1000, 2000]);
  });
});
