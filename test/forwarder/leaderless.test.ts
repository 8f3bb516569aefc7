import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { SimCluster, SimTarget } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

const record = (value: string): LogRecord => ({
  key: null,
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

/** A gateway with two partitions of alarms before a cluster so far away, and what time has passed there. */
function world(roundTripMs: number) {
  const log = new LogWithLives();
  log.createTopic('alarms', 2);
  const cluster = new SimCluster();
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const pause = (): Promise<void> => clock.sleep(roundTripMs / 2);
  const target = new SimTarget({ cluster, pause });
  const { forwarder } = simulatedForwarder({ log, clock, targetOf: () => target }, cluster);
  const arrived = (partition: number, count: number): Promise<void> =>
    until('it has arrived', () => cluster.values('gw1.alarms', partition).length === count);
  const seconds = (): number => (clock.monotonicMs() - startMs) / 1000;
  const opens = (): number => target.calls.filter((call) => call === 'open').length;
  return { log, cluster, clock, forwarder, arrived, seconds, opens };
}

const { suspicionMs, suspicionBackoffMsMax, pauseMs } = limits;

describe('a partition without a leader', () => {
  test('holds up the others on a long link for some seconds, and after each pause for a moment', async () => {
    const { log, cluster, forwarder, arrived, seconds, opens } = world(300);
    cluster.isLeaderless = (_, partition) => partition === 1;
    for (const partition of [0, 1]) log.append('alarms', partition, [record('a')]);
    forwarder.start();
    await arrived(0, 1);
    expect(seconds()).toBeLessThan(suspicionMs / 1000 + 5);
    expect(opens()).toBeLessThan(20);
    await until('the status says what waits', () => forwarder.status().state === 'backing-off');
    expect(forwarder.status().message).toMatch(/alarms-1 is not sent, alarms-1 has no leader/);
    const [beforeOpens, beforeSeconds] = [opens(), seconds()];
    // Nothing else waits, so the clock goes from pause to pause.
    await until('some pauses are over', () => seconds() > beforeSeconds + 10.5 * (pauseMs / 1000));
    expect(opens() - beforeOpens).toBeGreaterThan(16);
    expect(opens() - beforeOpens).toBeLessThanOrEqual(22);
    cluster.isLeaderless = () => false;
    await arrived(1, 1);
    await forwarder.stop();
  });

  test.each([
    ['open', 1, 300],
    ['open', 5, 300],
    ['write', 1, 300],
    ['write', 5, 300],
    ['open', 5, 2],
    ['write', 1, 2],
    ['write', 5, 2],
  ] as const)(
    'as told by %s is waited for if its leader moves for %i s, %i ms away',
    async (told, moveSeconds, roundTripMs) => {
      const { log, cluster, clock, forwarder, arrived, seconds } = world(roundTripMs);
      log.append('alarms', 1, [record('a')]);
      forwarder.start();
      await arrived(1, 1);
      const movesMs = clock.monotonicMs();
      cluster.isLeaderless = (_, partition, to) =>
        to === told && partition === 1 && clock.monotonicMs() < movesMs + moveSeconds * 1000;
      const before = seconds();
      for (const partition of [0, 1]) log.append('alarms', partition, [record('b')]);
      await arrived(1, 2);
      const lostSeconds = seconds() - before;
      await forwarder.stop();
      // A transaction that is refused in the last moment, one more look, and a session start with its transaction.
      const lostMs = suspicionBackoffMsMax + 10 * roundTripMs;
      expect(lostSeconds).toBeLessThan(moveSeconds + lostMs / 1000);
      expect(cluster.values('gw1.alarms', 0)).toEqual(['b']);
    },
  );

  test('is waited for each time that its leader moves, also if nothing was sent in between', async () => {
    const { log, cluster, clock, forwarder, arrived, opens } = world(2);
    log.append('alarms', 0, [record('a')]);
    forwarder.start();
    await arrived(0, 1);
    for (const moves of [1, 2, 3]) {
      await clock.sleep(suspicionMs * 2);
      const movesMs = clock.monotonicMs();
      cluster.isLeaderless = (_, partition, to) =>
        to === 'open' && partition === 1 && clock.monotonicMs() < movesMs + 2000;
      const before = opens();
      // A new topic makes the mirror look at all of them.
      log.createTopic(`later${moves}`, 1);
      await until('the move is over', () => clock.monotonicMs() > movesMs + 2000);
      expect(opens()).toBeGreaterThan(before + 4);
      log.append('alarms', 0, [record(`${moves}`)]);
      await arrived(0, 1 + moves);
      expect(forwarder.status().warnings).toEqual([]);
    }
    log.append('alarms', 1, [record('b')]);
    await arrived(1, 1);
    await forwarder.stop();
  });
});
