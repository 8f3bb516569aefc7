import { describe, expect, test } from 'vitest';
import { copyMemo } from '../../src/forwarder/cluster/names.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import { encodeCopy } from '../../src/forwarder/mirror/checkpoint.ts';
import { MirrorForwarding } from '../../src/forwarder/mirror/mirror-forwarding.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Call, type Fault, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { until } from '../support/virtual-time.ts';

const mapping = (topics: readonly string[]) => new TopicMapping({ gateway: 'gw1', topics });

const record = (value: string) => ({
  key: null,
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

function start(log: LogWithLives, cluster: SimCluster, faultOf: (call: Call) => Fault | null = () => null) {
  const forwarding = new MirrorForwarding(mapping(['*']));
  forwarding.remember(log);
  const { forwarder } = simulatedForwarder({ log }, cluster, faultOf);
  forwarding.follow(forwarder);
  forwarder.start();
  return { forwarding, forwarder };
}

const offsetsOf = (forwarding: MirrorForwarding, partition = 0) => [
  forwarding.confirmedOffset('readings', partition),
  forwarding.undecidedOffset('readings', partition),
];

const world = () => {
  const log = new LogWithLives();
  log.createTopic('readings', 2);
  for (let i = 0; i < 3; i += 1) log.append('readings', 0, [record(`${i}`)]);
  return { log, cluster: new SimCluster() };
};

const idle = (forwarder: Forwarder) =>
  until('all is sent', () => forwarder.status().state === 'idle' && forwarder.status().lagRecords === 0);

describe('what the log is told of the mirror', () => {
  test.each<[string, readonly string[], boolean]>([
    ['readings', ['*'], true],
    ['readings', ['readings', 'alarms'], true],
    ['readings', ['alarms'], false],
    ['gaps', ['alarms'], true],
    ['gaps', [], false],
    ['readings', [], false],
    ['headwater-checkpoint', ['*'], false],
    ['headwater-checkpoint', ['headwater-checkpoint'], false],
  ])('is whether %s is mirrored by forwarder.topics %j: %s', (topic, topics, expected) => {
    expect(new MirrorForwarding(mapping(topics)).isMirrored(topic)).toBe(expected);
  });

  test('is, before the log is open and of what cannot be read, that everything may have been sent', () => {
    const forwarding = new MirrorForwarding(mapping(['*']));
    expect(offsetsOf(forwarding)).toEqual([0, Number.MAX_SAFE_INTEGER]);
    const memos = new Map([[copyMemo('readings', 0), Buffer.from('{"version":2}')]]);
    forwarding.remember({ memos: () => memos });
    expect(offsetsOf(forwarding)).toEqual([0, Number.MAX_SAFE_INTEGER]);
    expect(offsetsOf(forwarding, 1)).toEqual([0, 0]);
  });

  test.each([
    { sendingTo: null, expected: [40, 40] },
    { sendingTo: 70, expected: [40, 70] },
  ])('is, before there is a link, what the journal remembers ($sendingTo)', ({ sendingTo, expected }) => {
    const forwarding = new MirrorForwarding(mapping(['*']));
    const copy = encodeCopy({ clusterId: 'c', nextOffset: 40, lives: [], sendingTo });
    const memos = new Map([[copyMemo('readings', 0), copy]]);
    forwarding.remember({ memos: () => memos });
    expect(offsetsOf(forwarding)).toEqual(expected);
  });

  test('is that nothing is undecided once all has arrived', async () => {
    const { log, cluster } = world();
    const { forwarding, forwarder } = start(log, cluster);
    await idle(forwarder);
    expect(offsetsOf(forwarding)).toEqual([3, 3]);
    await forwarder.stop();
    expect(offsetsOf(forwarding)).toEqual([3, 3]);
  });

  test.each<Fault>(['answer-lost', 'unreachable', 'late'])(
    'is that a transaction is undecided while nobody knows whether it was committed: %s',
    async (fault) => {
      const { log, cluster } = world();
      let isLost = false;
      const faultOf = (call: Call): Fault | null => {
        if (isLost) return 'unreachable';
        if (call !== 'commit') return null;
        isLost = true;
        return fault;
      };
      const first = start(log, cluster, faultOf);
      await until('the link breaks', () => first.forwarder.status().state === 'backing-off');
      expect(offsetsOf(first.forwarding)).toEqual([0, 3]);
      expect(offsetsOf(first.forwarding, 1)).toEqual([0, 0]);
      await first.forwarder.stop();
      expect(offsetsOf(first.forwarding)).toEqual([0, 3]);

      // The same after a restart, also while there is no link, until the cluster has told.
      for (const late of cluster.late.splice(0)) late();
      log.append('readings', 0, [record('3')]);
      let isThere = false;
      const second = start(log, cluster, () => (isThere ? null : 'unreachable'));
      await until('it has tried', () => second.forwarder.status().lastError !== null);
      expect(offsetsOf(second.forwarding)).toEqual([0, 3]);
      isThere = true;
      await idle(second.forwarder);
      expect(offsetsOf(second.forwarding)).toEqual([4, 4]);
      await second.forwarder.stop();
      expect(cluster.values('gw1.readings', 0)).toEqual(['0', '1', '2', '3']);
    },
  );

  test('is that what is about to be sent is undecided before the first byte leaves', async () => {
    const { log, cluster } = world();
    const seen: unknown[] = [];
    const { forwarding, forwarder } = start(log, cluster, (call) => {
      if (call === 'send') seen.push(offsetsOf(forwarding));
      return null;
    });
    await idle(forwarder);
    await forwarder.stop();
    expect(seen).toEqual([[0, 3]]);
  });
});
