import { expect, test } from 'vitest';
import { buildBatch } from '../../src/forwarder/cluster/outgoing-batch.ts';
import type { Failure, PartitionBatch } from '../../src/forwarder/cluster/target.ts';
import { AtLeastOnceTarget, type PlainCluster } from '../../src/forwarder/kafka/at-least-once-target.ts';
import { emptySession } from '../support/empty-session.ts';

const batchOf = async (partition: number, fromOffset: number): Promise<PartitionBatch> => ({
  topic: 'gw1.readings',
  partition,
  batch: await buildBatch([{ key: null, value: Buffer.from('v'), timestampMs: 1, headers: [] }]),
  source: { topic: 'readings', partition, fromOffset, nextOffset: fromOffset + 1, offsets: null },
});

const checkpoint = async (): Promise<PartitionBatch> => ({
  topic: 'gw1.headwater-checkpoint',
  partition: 0,
  batch: (await batchOf(0, 0)).batch,
  source: null,
});

/** Writes down what is appended; `answer` is told how many appends there were before. */
function recorded(answer: (appends: number) => Failure | null = () => null) {
  const appends: string[] = [];
  const cluster: PlainCluster = {
    prepare: () => Promise.resolve(null),
    readCheckpoints: () => Promise.resolve({ ok: true, clusterId: 'c', values: new Map() }),
    append: (batches) => {
      const names = batches.map(({ topic, partition, source }) =>
        source === null ? topic : `${partition}@${source.fromOffset}`,
      );
      appends.push(names.join(' '));
      return Promise.resolve(answer(appends.length - 1));
    },
    batchBytesMax: () => 1,
    linkBytesWritten: () => 0,
    linkBytesRead: () => 0,
    close: () => Promise.resolve(),
  };
  return { appends, target: new AtLeastOnceTarget(cluster, { wallMs: () => 5 }) };
}

const refusal = (objections?: Failure['objections']): Failure => ({
  kind: 'refused',
  message: 'no',
  ...(objections && { objections }),
});

const flush = async (): Promise<PartitionBatch[]> => [
  await checkpoint(),
  await batchOf(0, 0),
  await batchOf(0, 1),
  await batchOf(1, 0),
];

test('one batch of a partition waits for the other, and the checkpoint for all of them', async () => {
  const { appends, target } = recorded();
  await target.open(emptySession);
  expect(await target.send(await flush())).toBeNull();
  expect(appends).toEqual(['0@0 1@0', '0@1']);
  expect(await target.commit()).toBeNull();
  expect(appends).toEqual(['0@0 1@0', '0@1', 'gw1.headwater-checkpoint']);
});

test('what follows a refused batch is not sent', async () => {
  const { appends, target } = recorded(() => refusal());
  await target.open(emptySession);
  expect(await target.send(await flush())).toEqual(refusal());
  expect(await target.abort()).toBeNull();
  expect(appends).toEqual(['0@0 1@0']);
});

test('objections count only if the cluster takes a record of this moment', async () => {
  const objections = [{ topic: 'readings', partition: null, message: 'm' }];
  const clockIsRight = recorded((appends) => (appends === 0 ? refusal(objections) : null));
  await clockIsRight.target.open(emptySession);
  expect(await clockIsRight.target.send(await flush())).toEqual(refusal(objections));
  expect(clockIsRight.appends).toEqual(['0@0 1@0', 'gw1.headwater-checkpoint']);

  const clockIsAhead = recorded((appends) => refusal(appends === 0 ? objections : undefined));
  await clockIsAhead.target.open(emptySession);
  expect(await clockIsAhead.target.send(await flush())).toEqual(refusal());
});
