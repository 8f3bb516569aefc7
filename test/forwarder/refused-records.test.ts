import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Dislike, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

const record = (value: string): LogRecord => ({
  key: Buffer.from('k'),
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

/** A gateway with these records in `readings`, before a cluster that has this against those that begin with «bad». */
function world(dislike: Dislike, values: readonly string[]) {
  const log = new LogWithLives();
  const cluster = new SimCluster();
  cluster.dislikeOf = (_, value) => (value.startsWith('bad') ? dislike : null);
  log.createTopic('readings', 1);
  log.append('readings', 0, values.map(record));
  const clock = new VirtualClock();
  return { log, cluster, clock, start: () => simulatedForwarder({ log, clock }, cluster).forwarder };
}

const rows = (cluster: SimCluster) => cluster.values('gw1.gaps', 0).map((row) => JSON.parse(row));

const many = Array.from({ length: 100 }, (_, index) => (index === 37 ? 'bad' : `good ${index}`));

describe('a record that the cluster refuses', () => {
  test.each<Dislike>([
    { verdict: 'bad', isNamed: true },
    { verdict: 'bad', isNamed: false },
    { verdict: 'too-large', isNamed: false },
    { verdict: 'doubtful', isNamed: false },
  ])('is set aside with its row in gaps, and the rest flows: %o', async (dislike) => {
    const { cluster, start } = world(dislike, many);
    const forwarder = start();
    forwarder.start();
    await drained(forwarder);
    await forwarder.stop();
    expect(cluster.values('gw1.readings', 0)).toEqual(many.filter((value) => value !== 'bad'));
    expect(rows(cluster)).toMatchObject([
      {
        topic: 'readings',
        partition: 0,
        firstOffset: 37,
        lastOffset: 37,
        reason: 'refused',
        cause: 'DISLIKED',
      },
    ]);
    expect(forwarder.status().warnings).toEqual([expect.stringContaining('refused 1 records')]);
  });

  test('stays set aside over a restart, though the cluster would take it now', async () => {
    const { log, cluster, start } = world({ verdict: 'bad', isNamed: true }, ['a', 'bad', 'b']);
    const first = start();
    first.start();
    await drained(first);
    await first.stop();
    cluster.dislikeOf = null;
    log.startLife();
    log.append('readings', 0, [record('c')]);
    const second = start();
    second.start();
    await drained(second);
    await second.stop();
    expect(cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'c']);
    expect(rows(cluster)).toHaveLength(1);
  });

  test('at the very end does not keep the mirror from resting, nor a restart', async () => {
    const { cluster, start } = world({ verdict: 'bad', isNamed: true }, ['a', 'bad 1', 'bad 2']);
    for (let run = 0; run < 2; run += 1) {
      const forwarder = start();
      forwarder.start();
      await drained(forwarder);
      await forwarder.stop();
    }
    expect(cluster.values('gw1.readings', 0)).toEqual(['a']);
    expect(rows(cluster)).toMatchObject([{ firstOffset: 1, lastOffset: 2 }]);
  });

  test('that is a row of gaps itself is passed without another row', async () => {
    const { log, cluster, start } = world({ verdict: 'bad', isNamed: true }, ['a']);
    log.createTopic('gaps', 1);
    log.append('gaps', 0, [record('bad row'), record('{"good":"row"}')]);
    const forwarder = start();
    forwarder.start();
    await drained(forwarder);
    await forwarder.stop();
    expect(rows(cluster)).toEqual([{ good: 'row' }]);
  });

  test('is tried again later if that it is passed cannot be made durable', async () => {
    const { log, cluster, start } = world({ verdict: 'bad', isNamed: true }, ['a', 'bad', 'b']);
    const save = log.enterInLedger.bind(log);
    let refusals = 0;
    log.enterInLedger = async (...args) => {
      if (args[0].length > 0) refusals += 1;
      if (refusals === 1)
        log.saveError = new (await import('../../src/core/errors.ts')).OperatingError(
          'log-unavailable',
          'full',
        );
      await save(...args);
    };
    const forwarder = start();
    forwarder.start();
    await drained(forwarder);
    await forwarder.stop();
    expect(refusals).toBe(2);
    expect(cluster.values('gw1.readings', 0)).toEqual(['a', 'b']);
    expect(rows(cluster)).toHaveLength(1);
  });
});

describe('a topic that the cluster refuses', () => {
  test('keeps no other from being sent, and is sent once the cluster lets it', async () => {
    const { log, cluster, clock, start } = world({ verdict: 'bad', isNamed: true }, ['a']);
    log.createTopic('private', 1);
    log.append('private', 0, [record('p')]);
    cluster.forbiddenTopics.add('gw1.private');
    const forwarder = start();
    forwarder.start();
    await until('the other one has arrived', () => cluster.values('gw1.readings', 0).length === 1);
    await until('the status says what waits', () => forwarder.status().state === 'backing-off');
    expect(forwarder.status()).toMatchObject({
      lagRecords: 1,
      message: expect.stringMatching(/1 records wait: private is not sent, gw1.private is forbidden/),
    });
    // As long as it is refused, what comes for others is still sent at once.
    const before = clock.monotonicMs();
    log.append('readings', 0, [record('b')]);
    await until('the next one has arrived', () => cluster.values('gw1.readings', 0).length === 2);
    expect(clock.monotonicMs() - before).toBeLessThan(limits.pauseMs * 2);
    cluster.forbiddenTopics.clear();
    await drained(forwarder);
    await forwarder.stop();
    expect(cluster.values('gw1.private', 0)).toEqual(['p']);
  });
});
