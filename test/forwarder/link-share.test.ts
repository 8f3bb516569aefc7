import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { type LinkShare, SharedLink } from '../../src/forwarder/kafka/link-share.ts';
import { ManualClock } from '../support/manual-clock.ts';

const KIB = 1024;
const nothing = (): Promise<void> => Promise.resolve();

/** Lets so much time pass, in small steps. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await setImmediate();
    clock.pass(10);
  }
  await setImmediate();
}

/** Requests of these sizes, asked for all at once; when each of them left, milliseconds. */
async function leave(share: LinkShare, clock: ManualClock, sizes: readonly number[], untilMs: number) {
  const left = leaving(share, clock, sizes);
  await pass(clock, untilMs);
  return left;
}

function leaving(share: LinkShare, clock: ManualClock, sizes: readonly number[]): readonly number[] {
  const left: number[] = [];
  for (const bytes of sizes) {
    void share.carry(bytes, () => {
      left.push(clock.monotonicMs());
      return nothing();
    });
  }
  return left;
}

describe('the pace of the link', () => {
  test.each(['alarm', 'bulk'] as const)(
    'is the rate that was asked for, in the order of the requests: %s',
    async (lane) => {
      const clock = new ManualClock();
      const share = new SharedLink(clock, 1000).shareOf(lane);
      expect(await leave(share, clock, [500, 1000, 250, 250], 3000)).toEqual([0, 500, 1500, 1750]);
    },
  );

  test('gives no credit for the time in which nothing was sent', async () => {
    const clock = new ManualClock();
    const share = new SharedLink(clock, 1000).shareOf('bulk');
    clock.pass(60_000);
    expect(await leave(share, clock, [100, 100, 100], 1000)).toEqual([60_000, 60_100, 60_200]);
  });

  test('holds nothing back without a rate', async () => {
    const clock = new ManualClock();
    const share = new SharedLink(clock, null).shareOf('bulk');
    expect(await leave(share, clock, [1e9, 1e9, 1e9], 10)).toEqual([0, 0, 0]);
  });

  test('lets everybody go when the connections are closed, and holds back who comes later', async () => {
    const clock = new ManualClock();
    const share = new SharedLink(clock, 1000).shareOf('bulk');
    const waiting = Promise.all([1000, 1000, 1000].map((bytes) => share.carry(bytes, nothing)));
    await setImmediate();
    share.release();
    await waiting;
    expect(await leave(share, clock, [1000, 1], 3000)).toEqual([1000, 2000]);
  });

  test('does not make alarms wait for bulk, and makes bulk pay for them', async () => {
    const clock = new ManualClock();
    const link = new SharedLink(clock, 1000);
    const [alarm, bulk] = [link.shareOf('alarm'), link.shareOf('bulk')];
    void bulk.carry(2000, nothing);
    await setImmediate();
    expect(await leave(alarm, clock, [300, 200], 500)).toEqual([0, 300]);
    expect(await leave(bulk, clock, [1], 3000)).toEqual([2500]);
  });
});

describe('bulk', () => {
  test('begins no request while alarms have a transaction in hand', async () => {
    const clock = new ManualClock();
    const link = new SharedLink(clock, null);
    const [alarm, bulk] = [link.shareOf('alarm'), link.shareOf('bulk')];
    alarm.began();
    const left = leaving(bulk, clock, [1, 1]);
    await pass(clock, 600);
    expect(left).toEqual([]);
    alarm.ended();
    await setImmediate();
    expect(left).toEqual([600, 600]);
  });

  test('does not wait for alarms that come to no end, until they begin anew', async () => {
    const clock = new ManualClock();
    const link = new SharedLink(clock, null);
    const [alarm, bulk] = [link.shareOf('alarm'), link.shareOf('bulk')];
    alarm.began();
    await pass(clock, 100);
    // The same transaction, tried again.
    alarm.began();
    const bound = limits.alarmYieldMsMax;
    expect(await leave(bulk, clock, [1, 1], bound)).toEqual([bound, bound]);
    alarm.ended();
    alarm.began();
    const left = leaving(bulk, clock, [1]);
    await pass(clock, 500);
    expect(left).toEqual([]);
    alarm.ended();
    await setImmediate();
    expect(left).toEqual([bound + 600]);
  });
});

/** A link that carries one byte after the other; answers come a round trip later, if brokers need no time. */
class FifoLink {
  readonly #clock: ManualClock;
  readonly #bytesPerSecond: number;
  readonly #roundTripMs: number;
  #freeAtMs = 0;
  carried = 0;
  longestQueueMs = 0;

  constructor(clock: ManualClock, bytesPerSecond: number, roundTripMs: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#roundTripMs = roundTripMs;
  }

  /** How long something waits that is sent now. */
  get queueMs(): number {
    return Math.max(0, this.#freeAtMs - this.#clock.monotonicMs());
  }

  async request(bytes: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + (bytes / this.#bytesPerSecond) * 1000;
    this.longestQueueMs = Math.max(this.longestQueueMs, this.queueMs);
    await this.#clock.sleep(this.#freeAtMs - nowMs + this.#roundTripMs);
    this.carried += bytes;
  }
}

describe('what bulk has under way', () => {
  /** As many requests at once as the target makes, always some more, each as large as it may be. */
  function drain(share: LinkShare, link: FifoLink, clock: ManualClock, forMs: number): void {
    const endMs = clock.monotonicMs() + forMs;
    const worker = async (): Promise<void> => {
      while (clock.monotonicMs() < endMs) {
        const bytes = share.requestBytesMax;
        await share.carry(bytes, () => link.request(bytes));
      }
    };
    for (let count = 3 * limits.produceRequestsMax; count > 0; count -= 1) void worker();
  }

  test.each([
    [90_000, 300],
    [125_000, 300],
    [125_000, 20],
    [1_250_000, 50],
    [12_500_000, 600],
    [125_000_000, 1],
  ])(
    'fills a link of %i bytes/s with a round trip of %i ms, and keeps the queue short',
    async (rate, rttMs) => {
      const clock = new ManualClock();
      const link = new FifoLink(clock, rate, rttMs);
      const share = new SharedLink(clock, null).shareOf('bulk');
      share.roundTrip(rttMs);
      drain(share, link, clock, 20_000);
      await pass(clock, 15_000);
      const before = link.carried;
      link.longestQueueMs = 0;
      await pass(clock, 5000);
      const carriedPerSecond = (link.carried - before) / 5;
      // What the target has at hand bounds it as well.
      const targetMax = (3 * limits.produceRequestsMax * limits.produceRequestBytesMax * 1000) / (rttMs + 10);
      expect(carriedPerSecond).toBeGreaterThan(0.85 * Math.min(rate, targetMax));
      const requestMs = (limits.bulkRequestBytesMin / rate) * 1000;
      expect(link.longestQueueMs).toBeLessThan(
        1.1 * (limits.bulkQueueMsWanted + Math.max(requestMs, limits.bulkQueueMsWanted / 4)),
      );
    },
  );

  test('is one request where that alone takes too long', async () => {
    const clock = new ManualClock();
    const link = new FifoLink(clock, 8 * KIB, 300);
    const share = new SharedLink(clock, null).shareOf('bulk');
    share.roundTrip(300);
    drain(share, link, clock, 60_000);
    await pass(clock, 60_000);
    expect(link.longestQueueMs).toBeLessThanOrEqual((limits.bulkRequestBytesMin / (8 * KIB)) * 1000);
  });

  test('is little again soon after the link became slow', async () => {
    const clock = new ManualClock();
    const share = new SharedLink(clock, null).shareOf('bulk');
    share.roundTrip(50);
    drain(share, new FifoLink(clock, 12_500_000, 50), clock, 5000);
    await pass(clock, 10_000);
    expect(share.requestBytesMax).toBe(limits.produceRequestBytesMax);
    drain(share, new FifoLink(clock, 125_000, 50), clock, 60_000);
    await pass(clock, 60_000);
    expect(share.requestBytesMax).toBeLessThan(1.2 * limits.bulkRequestBytesMin);
  });

  test('does not count what failed', async () => {
    const clock = new ManualClock();
    const share = new SharedLink(clock, null).shareOf('bulk');
    const failing = () => Promise.reject(new Error('the link broke'));
    for (let i = 0; i < 3; i += 1) await expect(share.carry(1e6, failing)).rejects.toThrow('broke');
    expect(await leave(share, clock, [64 * KIB], 10)).toEqual([0]);
  });
});

describe('another rate', () => {
  test.each([
    ['a higher one', 4000, [0, 330, 360]],
    ['a lower one', 500, [0, 1900, 2100]],
    ['none', null, [0, 100, 100]],
  ])('counts at once, also for what waits: %s', async (_, rate, expected) => {
    const clock = new ManualClock();
    const link = new SharedLink(clock, 1000);
    // The first has the link for a second, of which 900 ms are left when the rate is changed.
    const left = leaving(link.shareOf('bulk'), clock, [1000, 100, 100]);
    await pass(clock, 100);
    link.limitTo(rate);
    await pass(clock, 3000);
    expect(left).toEqual(expected);
  });

  test('holds back where nothing was', async () => {
    const clock = new ManualClock();
    const link = new SharedLink(clock, null);
    const share = link.shareOf('alarm');
    expect(await leave(share, clock, [1e9, 1e9], 10)).toEqual([0, 0]);
    link.limitTo(1000);
    expect(await leave(share, clock, [100, 100], 300)).toEqual([10, 110]);
  });
});
