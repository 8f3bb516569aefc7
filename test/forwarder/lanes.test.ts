import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { clusterRows } from '../../src/edge/cli/cluster-rows.ts';
import type { Forwarder, ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import type { LaneName } from '../../src/log/types.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Call, type Fault, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';

const record = (value: string): LogRecord => ({
  key: null,
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

/** A log with a topic in each lane, before a cluster. */
function world() {
  const log = new LogWithLives();
  log.createTopic('readings', 2);
  log.createTopic('alarms', 1, { lane: 'alarm' });
  return { log, cluster: new SimCluster(), clock: new VirtualClock() };
}

type World = ReturnType<typeof world>;

function start(
  { log, cluster, clock }: World,
  faultOf?: (call: Call, lane: LaneName) => Fault | null,
  options: Partial<ForwarderOptions> = {},
) {
  const started = simulatedForwarder({ log, clock, ...options }, cluster, faultOf);
  started.forwarder.start();
  return started;
}

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

const isWaiting = (forwarder: Forwarder, lane: LaneName): boolean =>
  forwarder.status().lanes.some((one) => one.lane === lane && one.state === 'idle');

describe('two lanes', () => {
  test('carry each its topics, each in a transactional stream of its own', async () => {
    const w = world();
    w.log.append('readings', 1, [record('a')]);
    w.log.append('alarms', 0, [record('b')]);
    const { forwarder, target, alarmTarget } = start(w);
    await drained(forwarder);
    expect(forwarder.status()).toMatchObject({
      recordsAcknowledged: 2,
      lanes: [
        { lane: 'alarm', state: 'idle' },
        { lane: 'bulk', state: 'idle' },
      ],
      topics: [{ topic: 'alarms' }, { topic: 'readings' }],
    });
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 1)).toEqual(['a']);
    expect(w.cluster.values('gw1.alarms', 0)).toEqual(['b']);
    for (const { calls } of [target, alarmTarget])
      expect(calls.filter((call) => call === 'commit')).toHaveLength(1);
    expect(w.cluster.transactionalIds().toSorted()).toEqual([
      `headwater-${w.log.logId}-alarm`,
      `headwater-${w.log.logId}-bulk`,
    ]);
  });

  test('do not wait for each other: an alarm arrives while bulk cannot', async () => {
    const w = world();
    const { forwarder } = start(w, (call, lane) =>
      lane === 'bulk' && call === 'send' ? 'unreachable' : null,
    );
    await drained(forwarder);
    w.log.append('readings', 0, [record('a')]);
    w.log.append('alarms', 0, [record('b')]);
    await until('it is there', () => w.cluster.values('gw1.alarms', 0).length === 1);
    await until('bulk backs off', () => forwarder.status().state === 'backing-off');
    expect(forwarder.status().message).toMatch(/^lane bulk: send: unreachable/);
    await forwarder.stop();
  });

  test('have both ids initialised before either reads the checkpoints', async () => {
    const w = world();
    const ids = { alarm: `headwater-${w.log.logId}-alarm`, bulk: `headwater-${w.log.logId}-bulk` };
    const missing: string[] = [];
    const { forwarder } = start(w, (call) => {
      const known = w.cluster.transactionalIds();
      if (call === 'read-checkpoints')
        missing.push(...Object.values(ids).filter((id) => !known.includes(id)));
      return null;
    });
    await drained(forwarder);
    await forwarder.stop();
    expect(missing).toEqual([]);
  });

  test('open nothing without topics, until there is one', async () => {
    const w = { ...world(), log: new LogWithLives() };
    w.log.createTopic('readings', 1);
    const { forwarder, alarmTarget } = start(w);
    await drained(forwarder);
    expect(forwarder.status().lanes.map(({ lane }) => lane)).toEqual(['bulk']);
    expect(alarmTarget.calls).toEqual([]);
    w.log.createTopic('alarms', 1, { lane: 'alarm' });
    w.log.append('alarms', 0, [record('a')]);
    await drained(forwarder);
    expect(w.cluster.values('gw1.alarms', 0)).toEqual(['a']);
    w.log.setTopic('readings', { lane: 'alarm' });
    await until('bulk is gone', () => forwarder.status().lanes.length === 1);
    await drained(forwarder);
    await forwarder.stop();
  });

  test('let alarms wait for others only briefly', async () => {
    const w = world();
    const { forwarder } = start(w, undefined, { lingerMs: 10_000 });
    await until('both wait', () => isWaiting(forwarder, 'alarm') && isWaiting(forwarder, 'bulk'));
    w.log.append('alarms', 0, [record('a')]);
    await until('it is there', () => w.cluster.values('gw1.alarms', 0).length === 1);
    expect(w.clock.sleeps).toEqual([limits.alarmLingerMsMax]);
    await forwarder.stop();
  });

  test('tell a partition that one of them holds only once the other one has sent the row in gaps', async () => {
    const w = world();
    w.log.createTopic('gaps', 1);
    let isBlocked = true;
    const { forwarder } = start(w, (call, lane) =>
      isBlocked && lane === 'bulk' && call === 'send' ? 'unreachable' : null,
    );
    await until('both wait', () => isWaiting(forwarder, 'alarm') && isWaiting(forwarder, 'bulk'));
    w.log.append('alarms', 0, ['a', 'b', 'c'].map(record));
    w.log.append('gaps', 0, [record('alarms-0 0..1')]);
    w.log.moveLogStart('alarms', 0, 2);
    await until('bulk has tried', () => forwarder.status().lastError !== null);
    for (let turns = 0; turns < 50; turns += 1) await setImmediate();
    expect(w.cluster.values('gw1.alarms', 0)).toEqual([]);
    const wait = 'alarms-0 waits until topic gaps has arrived, which says what of it was dropped or refused';
    const { lanes, warnings } = forwarder.status();
    expect(lanes[0]).toEqual({ lane: 'alarm', state: 'idle', message: `1 records wait: ${wait}` });
    expect(warnings).toEqual([wait]);
    expect(clusterRows(forwarder.status(), w.clock.wallMs())).toContain(`note: ${wait}`);
    isBlocked = false;
    await drained(forwarder);
    expect(forwarder.status().warnings).toEqual([]);
    await forwarder.stop();
    expect(w.cluster.values('gw1.gaps', 0)).toEqual(['alarms-0 0..1']);
    expect(w.cluster.values('gw1.alarms', 0)).toEqual(['c']);
  });

  test.each([
    [limits.hiddenQuietRepeats, false],
    [limits.hiddenQuietRepeats + 1, true],
  ])('look %i times at checkpoints that are hidden, and tell of it: %s', async (times, isTold) => {
    const w = world();
    let left = times;
    const { forwarder } = start(w, (call, lane) => {
      if (lane !== 'alarm' || call !== 'read-checkpoints' || left === 0) return null;
      left -= 1;
      return 'hidden';
    });
    await until('both wait', () => isWaiting(forwarder, 'alarm') && isWaiting(forwarder, 'bulk'));
    expect(forwarder.status().lastError !== null).toBe(isTold);
    expect(left).toBe(0);
    await forwarder.stop();
  });

  test('take one new identity together, and go on under it', async () => {
    const w = world();
    w.log.append('readings', 0, [record('a')]);
    w.log.append('alarms', 0, [record('b')]);
    const first = start(w).forwarder;
    await drained(first);
    await first.stop();
    for (const topic of ['readings', 'alarms']) w.log.loseTail(topic, 0, 0);
    w.log.startLife();
    w.log.append('readings', 0, ['c', 'd'].map(record));
    w.log.append('alarms', 0, ['e', 'f'].map(record));
    const { forwarder } = start(w);
    await drained(forwarder);
    expect(forwarder.status().warnings).toEqual([expect.stringMatching(/does not know/)]);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'c', 'd']);
    expect(w.cluster.values('gw1.alarms', 0)).toEqual(['b', 'e', 'f']);
    expect(w.cluster.transactionalIds()).toHaveLength(4);
  });

  test('stop both if the checkpoint of one is lost and that is what is wanted', async () => {
    const w = world();
    for (const value of ['a', 'b']) {
      w.log.append('readings', 0, [record(value)]);
      const { forwarder } = start(w);
      await drained(forwarder);
      await forwarder.stop();
    }
    const moved = { ...w, cluster: new SimCluster('cluster-2') };
    w.log.append('alarms', 0, [record('c')]);
    const { forwarder } = start(moved, undefined, { onCheckpointLost: 'stop' });
    await until('both have stopped', () =>
      forwarder.status().lanes.every(({ state }) => state === 'stopped'),
    );
    await forwarder.stop();
    expect(moved.cluster.values('gw1.alarms', 0)).toEqual([]);
  });
});

describe('a topic that is moved to the other lane', () => {
  test('goes on there where it was, whatever was in hand, and back', async () => {
    for (let steps = 0; steps < 60; steps += 1) {
      const w = world();
      w.log.append('readings', 0, ['a', 'b'].map(record));
      w.log.append('alarms', 0, [record('x')]);
      const { forwarder } = start(w, undefined, { transactionBytesMax: 1 });
      for (let turn = 0; turn < steps; turn += 1) await setImmediate();
      w.log.setTopic('readings', { lane: 'alarm' });
      w.log.append('readings', 0, [record('c')]);
      for (let turn = 0; turn < steps; turn += 1) await setImmediate();
      w.log.setTopic('alarms', { lane: 'bulk' });
      w.log.append('readings', 0, [record('d')]);
      w.log.append('alarms', 0, [record('y')]);
      await drained(forwarder);
      await forwarder.stop();
      expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'c', 'd']);
      expect(w.cluster.values('gw1.alarms', 0)).toEqual(['x', 'y']);
    }
  });

  test('does not wait for a lane that backs off', async () => {
    const w = world();
    const { forwarder } = start(w, (call, lane) => (lane === 'bulk' && call === 'send' ? 'fenced' : null));
    await drained(forwarder);
    w.log.append('readings', 0, [record('a')]);
    await until('bulk backs off', () => forwarder.status().state === 'backing-off');
    w.log.setTopic('readings', { lane: 'alarm' });
    await until('it is there', () => w.cluster.values('gw1.readings', 0).length === 1);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a']);
  });

  test('does not keep anybody from stopping at any moment', async () => {
    for (let steps = 0; steps < 40; steps += 1) {
      const w = world();
      w.log.append('readings', 0, [record('a')]);
      const { forwarder } = start(w);
      for (let turn = 0; turn < steps; turn += 1) await setImmediate();
      w.log.setTopic('readings', { lane: 'alarm' });
      for (let turn = 0; turn < steps % 7; turn += 1) await setImmediate();
      await forwarder.stop();
      expect(forwarder.status().lanes.every(({ state }) => state === 'stopped')).toBe(true);
    }
  });

  test('is told to the log by the lane that knows', async () => {
    const w = world();
    w.log.append('readings', 0, ['a', 'b'].map(record));
    const { forwarder } = start(w);
    await drained(forwarder);
    expect(forwarder.standing('readings', 0)).toEqual({ confirmed: 2, undecided: 2 });
    w.log.setTopic('readings', { lane: 'alarm' });
    w.log.append('readings', 0, [record('c')]);
    await drained(forwarder);
    expect(forwarder.standing('readings', 0)).toEqual({ confirmed: 3, undecided: 3 });
    await forwarder.stop();
  });
});

describe('lanes that crash at any point, and topics that are moved between them', () => {
  const likely: readonly Fault[] = ['unreachable', 'answer-lost', 'late', 'busy', 'refused', 'part-refused'];
  const topics = ['readings', 'alarms'];

  test.each(Array.from({ length: 30 }, (_, index) => index + 1))(
    'deliver every record once and in order (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const below = (count: number): number => Math.floor(random.next() * count);
      const w = world();
      const expected = new Map(topics.map((topic) => [topic, [] as string[]]));
      let faultRate = 0.2;
      const faultOf = (): Fault | null =>
        random.next() < faultRate ? (likely[below(likely.length)] ?? null) : null;
      let running = start(w, faultOf, { random: seededRandom(seed) });
      for (let action = 0; action < 60; action += 1) {
        const topic = topics[below(topics.length)] ?? '';
        if (random.next() < 0.7) {
          const values = Array.from({ length: 1 + below(5) }, (_, index) => `${action}.${index}`);
          w.log.append(topic, 0, values.map(record));
          expected.get(topic)?.push(...values);
        }
        if (random.next() < 0.2) w.log.setTopic(topic, random.next() < 0.5 ? { lane: 'alarm' } : {});
        for (let i = below(12); i > 0; i -= 1) await setImmediate();
        if (random.next() < 0.3) w.cluster.late.shift()?.();
        if (random.next() < 0.15) {
          Object.assign(running.target, { isCutOff: true });
          Object.assign(running.alarmTarget, { isCutOff: true });
          await running.forwarder.stop();
          w.log.startLife();
          running = start(w, faultOf, { random: seededRandom(seed + action) });
        }
      }
      faultRate = 0;
      for (const late of w.cluster.late.splice(0)) late();
      await drained(running.forwarder);
      await running.forwarder.stop();
      for (const [topic, values] of expected) expect(w.cluster.values(`gw1.${topic}`, 0)).toEqual(values);
    },
  );
});
