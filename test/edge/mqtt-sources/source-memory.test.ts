import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { SourceMemories } from '../../../src/edge/mqtt-sources/source-memory.ts';
import { KeepingLogger } from '../../ingest/mqtt/harness.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';

const subscribed = { session: '0123456789abcdef', topics: ['sensors/#'], qos: 2 } as const;

const file = async (disk: SimDisk, content: string): Promise<void> => {
  const handle = await disk.session().create('mqtt-sources.json');
  await handle.writeAt(Buffer.from(content), 0);
  await handle.sync();
  await handle.close();
};

test('what was subscribed to is known at the next start, of each source by its name', async () => {
  const disk = new SimDisk(new SimRandom(1));
  const first = await SourceMemories.open(disk.session(), silentLogger);
  expect(first.of('plant').recall()).toBeNull();
  await Promise.all([
    first.of('plant').remember(subscribed),
    first.of('hall').remember({ ...subscribed, qos: 1 }),
  ]);
  const second = await SourceMemories.open(disk.session(), silentLogger);
  expect(second.of('plant').recall()).toEqual(subscribed);
  expect(second.of('hall').recall()).toEqual({ ...subscribed, qos: 1 });
  expect(second.of('constructor').recall()).toBeNull();
});

test.each([
  ['no JSON', '{', 'JSON'],
  ['another version', '{"version":2,"sources":{}}', 'its version is not 1'],
])('a file with %s counts as empty, and is told', async (_, content, words) => {
  const disk = new SimDisk(new SimRandom(1));
  await file(disk, content);
  const logger = new KeepingLogger();
  const memories = await SourceMemories.open(disk.session(), logger);
  expect(memories.of('plant').recall()).toBeNull();
  expect(logger.lines.join()).toContain(words);
});

test('an entry that cannot be is left out', async () => {
  const disk = new SimDisk(new SimRandom(1));
  const sources = {
    plant: subscribed,
    a: { ...subscribed, qos: 0 },
    b: { ...subscribed, topics: [1] },
    c: null,
  };
  await file(disk, JSON.stringify({ version: 1, sources }));
  const memories = await SourceMemories.open(disk.session(), silentLogger);
  expect(['plant', 'a', 'b', 'c'].map((name) => memories.of(name).recall())).toEqual([
    subscribed,
    null,
    null,
    null,
  ]);
});

test('a disk that refuses is told, and remembered as long as the gateway runs', async () => {
  const disk = new SimDisk(new SimRandom(1)).session();
  const full = Object.assign(new Error('no space left'), { syscall: 'open', code: 'ENOSPC' });
  const logger = new KeepingLogger();
  const memories = await SourceMemories.open(
    {
      ...disk,
      list: (folder) => disk.list(folder),
      open: (path) => disk.open(path),
      create: () => Promise.reject(full),
    } as typeof disk,
    logger,
  );
  await memories.of('plant').remember(subscribed);
  expect(logger.lines.join()).toContain('no space left');
  expect(memories.of('plant').recall()).toEqual(subscribed);
});
