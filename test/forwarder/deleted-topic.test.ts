import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import type { Log } from '../../src/log/log.ts';
import { openLog, textRecord } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { type Call, type Fault, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { until } from '../support/virtual-time.ts';

interface World extends AsyncDisposable {
  readonly log: Log;
  readonly cluster: SimCluster;
  readonly forwarder: Forwarder;
}

/** A real log that is mirrored into a simulated cluster. */
async function world(faultOf: (call: Call) => Fault | null = () => null): Promise<World> {
  const log = await openLog(new SimDisk(new SimRandom(1)).session());
  for (const topic of ['readings', 'air']) await log.createTopic(topic, 1);
  const cluster = new SimCluster();
  const { forwarder } = simulatedForwarder({ log }, cluster, faultOf);
  return {
    log,
    cluster,
    forwarder,
    [Symbol.asyncDispose]: async () => {
      await forwarder.stop();
      await log.close();
    },
  };
}

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

describe('a topic that is deleted', () => {
  test('and was sent leaves the mirror going, also when it is created again', async () => {
    await using w = await world();
    w.forwarder.start();
    await w.log.append([textRecord('air', 'a'), textRecord('readings', 'x')]);
    await drained(w.forwarder);
    await w.log.deleteTopic('air');
    await w.log.append([textRecord('readings', 'y')]);
    await drained(w.forwarder);
    await w.log.createTopic('air', 1);
    await w.log.append([textRecord('air', 'b'), textRecord('readings', 'z')]);
    await drained(w.forwarder);
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['x', 'y', 'z']);
    expect(w.cluster.values('gw1.air', 0)).toEqual(['a', 'b']);
  });

  test('is forgotten by the mirror, and another one under its name is remembered', async () => {
    await using w = await world();
    const remembered = (): readonly string[] =>
      [...w.log.memos().keys()].filter((key) => key.startsWith('copy/')).sort();
    w.forwarder.start();
    await w.log.append([textRecord('air', 'a'), textRecord('readings', 'x')]);
    await drained(w.forwarder);
    expect(remembered()).toEqual(['copy/air/0', 'copy/readings/0']);
    await w.log.deleteTopic('air');
    await w.log.append([textRecord('readings', 'y')]);
    await drained(w.forwarder);
    expect(remembered()).toEqual(['copy/readings/0']);
    await w.log.createTopic('air', 1);
    await w.log.append([textRecord('air', 'b')]);
    await drained(w.forwarder);
    expect(remembered()).toEqual(['copy/air/0', 'copy/readings/0']);
    expect(w.cluster.values('gw1.air', 0)).toEqual(['a', 'b']);
  });

  test('before it could be sent takes its records with it and nothing else', async () => {
    let isOpen = false;
    await using w = await world((call) => (isOpen || call !== 'commit' ? null : 'unreachable'));
    w.forwarder.start();
    await w.log.append([textRecord('air', 'a'), textRecord('air', 'b'), textRecord('readings', 'x')]);
    await until('it has failed', () => w.forwarder.status().lastError !== null);
    await w.log.deleteTopic('air');
    await w.log.createTopic('air', 1);
    await w.log.append([textRecord('air', 'c'), textRecord('readings', 'y')]);
    isOpen = true;
    await drained(w.forwarder);
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['x', 'y']);
    expect(w.cluster.values('gw1.air', 0)).toEqual(['c']);
  });

  test('at any moment stops nothing', async () => {
    await using w = await world();
    w.forwarder.start();
    const values: string[] = [];
    for (let round = 0; round < 50; round += 1) {
      values.push(`r${round}`);
      await w.log.append([textRecord('air', `a${round}`), textRecord('readings', `r${round}`)]);
      for (let turn = 0; turn < round % 7; turn += 1) await setImmediate();
      await w.log.deleteTopic('air');
      for (let turn = 0; turn < round % 5; turn += 1) await setImmediate();
      await w.log.createTopic('air', 1);
    }
    await drained(w.forwarder);
    expect(w.cluster.values('gw1.readings', 0)).toEqual(values);
    const sent = w.cluster.values('gw1.air', 0);
    expect(sent).toEqual([...new Set(sent)]);
  });
});
