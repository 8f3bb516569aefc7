import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { Forwarder, ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import type { StoredBatch } from '../../src/log/types.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Call, type Fault, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

/** Where the virtual clock begins. */
const startMs = 1_700_000_000_000;
const HOUR = 3600;

/** A log that counts who reads it. */
class CountedLog extends LogWithLives {
  reads = 0;

  override read(...of: Parameters<LogWithLives['read']>): Promise<readonly StoredBatch[]> {
    this.reads += 1;
    return super.read(...of);
  }
}

const stamped = (secondsBefore: number, value = 'x'): LogRecord => ({
  key: null,
  value: Buffer.from(value),
  timestampMs: startMs - secondsBefore * 1000,
  headers: [],
});

function world(options: Partial<ForwarderOptions> = {}) {
  const log = new CountedLog();
  log.createTopic('readings', 2);
  log.createTopic('alarms', 1);
  const cluster = new SimCluster();
  const lines: string[] = [];
  const say = (_fields: object, message: string): void => void lines.push(message);
  const link: { faultOf: (call: Call) => Fault | null } = { faultOf: () => null };
  const start = (): Forwarder => {
    const logger = { ...silentLogger, child: () => ({ ...silentLogger, info: say, warn: say }) };
    const own = { log, clock: new VirtualClock(), logger, ...options };
    const { forwarder } = simulatedForwarder(own, cluster, (call) => link.faultOf(call));
    forwarder.start();
    return forwarder;
  };
  return { log, cluster, lines, link, start };
}

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

const lagOf = (forwarder: Forwarder, topic: string) =>
  forwarder.status().topics.find((one) => one.topic === topic);

describe('what is seen of the mirror', () => {
  test('after a restart without a link: what waits of each topic, and how old it really is', async () => {
    const { log, link, start } = world();
    log.append('readings', 1, [stamped(2 * HOUR), stamped(HOUR)]);
    log.append('alarms', 0, [stamped(60)]);
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('it is read', () => (lagOf(forwarder, 'alarms')?.lagSeconds ?? 0) >= 60);
    expect(lagOf(forwarder, 'readings')).toMatchObject({ lagRecords: 2 });
    expect(lagOf(forwarder, 'readings')?.lagSeconds).toBeGreaterThanOrEqual(2 * HOUR);
    expect(lagOf(forwarder, 'readings')?.lagSeconds).toBeLessThan(2 * HOUR + 600);
    expect(lagOf(forwarder, 'alarms')?.lagSeconds).toBeLessThan(660);
    expect(forwarder.status().lagBytes).toBeGreaterThan(100);
    await forwarder.stop();
  });

  test('also of a position within a sealed batch', async () => {
    const { log, link, start } = world();
    const first = start();
    log.append('readings', 0, [stamped(5 * HOUR)]);
    await drained(first);
    // The last transaction is remembered with the next one.
    log.append('readings', 1, [stamped(0)]);
    await drained(first);
    await first.stop();
    log.append('readings', 0, [stamped(HOUR), stamped(0)]);
    log.startLife();
    log.seal('readings', 0);
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('it is read', () => (lagOf(forwarder, 'readings')?.lagSeconds ?? 0) >= HOUR);
    expect(lagOf(forwarder, 'readings')?.lagSeconds).toBeLessThan(HOUR + 600);
    await forwarder.stop();
  });

  test('costs no look at the log, however often it is asked and whatever is written', async () => {
    const { log, link, start } = world();
    log.append('readings', 0, [stamped(HOUR)]);
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('it is read', () => (lagOf(forwarder, 'readings')?.lagSeconds ?? 0) >= HOUR);
    const { reads } = log;
    expect(reads).toBe(1);
    for (let commit = 0; commit < 100; commit += 1) {
      log.append('readings', commit % 2, [stamped(0)]);
      forwarder.status();
    }
    await until('a minute has gone by', () => (lagOf(forwarder, 'readings')?.lagSeconds ?? 0) > HOUR + 60);
    expect(log.reads).toBe(reads);
    await forwarder.stop();
  });

  test('once retention has dropped what waited: how old the rest is', async () => {
    const { log, link, start } = world();
    log.append('readings', 0, [stamped(3 * HOUR)]);
    log.append('readings', 0, [stamped(HOUR)]);
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('it is read', () => (lagOf(forwarder, 'readings')?.lagSeconds ?? 0) >= 3 * HOUR);
    log.moveLogStart('readings', 0, 1);
    await until('the rest is read', () => {
      const lag = lagOf(forwarder, 'readings')?.lagSeconds ?? 0;
      return lag >= HOUR && lag < 2 * HOUR;
    });
    expect(lagOf(forwarder, 'readings')?.lagRecords).toBe(1);
    log.moveLogStart('readings', 0, 2);
    expect(lagOf(forwarder, 'readings')).toEqual({
      topic: 'readings',
      lagRecords: 0,
      lagBytes: 0,
      lagSeconds: 0,
    });
    await forwarder.stop();
  });

  test('of a topic that was deleted: nothing', async () => {
    const { log, link, start } = world();
    log.append('alarms', 0, [stamped(HOUR)]);
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('it is read', () => forwarder.status().lagSeconds >= HOUR);
    log.deleteTopic('alarms');
    expect(forwarder.status()).toMatchObject({ lagRecords: 0, lagBytes: 0, lagSeconds: 0 });
    expect(lagOf(forwarder, 'alarms')).toBeUndefined();
    await forwarder.stop();
  });

  test('when the log cannot be read: an age from the start on', async () => {
    const { log, link, start } = world();
    log.append('readings', 0, [stamped(9 * HOUR)]);
    log.read = () => Promise.reject(new Error('the disk does not answer'));
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('a minute has gone by', () => forwarder.status().lagSeconds > 60);
    expect(forwarder.status().lagSeconds).toBeLessThan(HOUR);
    await forwarder.stop();
  });

  test('of an outage: one line for each message, one for its end, no time left meanwhile, and why', async () => {
    const { log, lines, link, start } = world();
    log.append('readings', 0, [stamped(0), stamped(0), stamped(0)]);
    link.faultOf = () => 'unreachable';
    const forwarder = start();
    await until('two hours have gone by', () => forwarder.status().lagSeconds > 2 * HOUR);
    const away = forwarder.status();
    expect(away).toMatchObject({ drain: { state: 'unknown' }, isStale: true, lastAcknowledgedMs: null });
    expect(away.retries).toEqual([{ kind: 'unreachable', cause: '', count: expect.any(Number) }]);
    expect(away.retries[0]?.count).toBeGreaterThan(200);
    expect(lines).toEqual(['open: unreachable']);
    link.faultOf = () => null;
    await drained(forwarder);
    expect(lines).toEqual([
      'open: unreachable',
      expect.stringMatching(/^the cluster acknowledges again after 2 h( \d+ min)?; 3 records waited$/),
    ]);
    expect(forwarder.status()).toMatchObject({
      drain: { state: 'no-backlog' },
      isStale: false,
      lastError: { message: 'open: unreachable' },
    });
    await forwarder.stop();
  });

  test('of what was sent twice: that it was acknowledged once, and that it cost the link twice', async () => {
    const { log, link, start } = world();
    log.append('readings', 0, [stamped(0), stamped(0)]);
    const planned: Fault[] = ['unreachable', 'unreachable'];
    link.faultOf = (call) => (call === 'send' ? (planned.shift() ?? null) : null);
    const forwarder = start();
    await drained(forwarder);
    const { recordsAcknowledged, bytesAcknowledged, linkBytesWritten, lastDay, retries } = forwarder.status();
    expect(recordsAcknowledged).toBe(2);
    expect(linkBytesWritten).toBeGreaterThan(3 * bytesAcknowledged);
    expect(lastDay).toMatchObject({ bytesAcknowledged, linkBytesWritten });
    expect(retries).toEqual([{ kind: 'unreachable', cause: '', count: 2 }]);
    await forwarder.stop();
  });

  test('of a commit whose answer was lost: that it has arrived, once the cluster says so', async () => {
    for (const fault of ['answer-lost', 'unreachable'] as const) {
      const { log, link, start } = world();
      log.append('readings', 0, [stamped(0), stamped(0)]);
      const planned: Fault[] = [fault];
      link.faultOf = (call) => (call === 'commit' ? (planned.shift() ?? null) : null);
      const forwarder = start();
      await drained(forwarder);
      expect(forwarder.status().recordsAcknowledged).toBe(2);
      expect(forwarder.status().lastAcknowledgedMs).not.toBeNull();
      log.append('readings', 1, [stamped(0)]);
      await drained(forwarder);
      expect(forwarder.status().recordsAcknowledged).toBe(3);
      await forwarder.stop();
    }
  });

  test('of records that the cluster refuses: that they wait no more, and were not acknowledged', async () => {
    const { log, cluster, start } = world();
    cluster.dislikeOf = (_, value) => (value === 'bad' ? { verdict: 'bad', isNamed: true } : null);
    log.append('readings', 0, [stamped(0, 'bad')]);
    const forwarder = start();
    await drained(forwarder);
    // One of topic `gaps`, which tells of it.
    expect(cluster.values('gw1.gaps', 0)).toHaveLength(1);
    expect(forwarder.status()).toMatchObject({ recordsAcknowledged: 1, lagRecords: 0, lagSeconds: 0 });
    await forwarder.stop();
  });
});
