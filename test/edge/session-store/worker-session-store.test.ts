import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { type Metrics, noMetrics } from '../../../src/core/metrics.ts';
import { WorkerSessionStore } from '../../../src/edge/session-store/worker-session-store.ts';
import type { StoreChanges } from '../../../src/ingest/mqtt/sessions/session-store.ts';
import { CountingMetrics, KeepingLogger } from '../../ingest/mqtt/harness.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const none = { put: [], remove: [] };
const nothing: StoreChanges = {
  isWhole: false,
  sessions: none,
  queued: none,
  handshakes: [],
  retained: none,
  wills: none,
  positions: { 'readings/0': 0 },
};
const session = { client: 'ü', awayMs: 12, subscriptions: [{ topic: '+/#', qos: 2 }] };
const message = {
  number: 3,
  client: 'ü',
  topic: 't',
  payload: new Uint8Array([0, 255]),
  qos: 2,
  messageId: null,
  isReleased: false,
};
const retained = { topic: 'r', qos: 0, payload: new Uint8Array([7]) };
const will = {
  client: 'ü',
  user: null,
  topic: 'w',
  payload: new Uint8Array([8]),
  qos: 1,
  retain: true,
  keepAliveMs: 1500,
};

/** Opens the store of a folder, and closes it after. */
async function withStore<Value>(
  folder: string,
  use: (store: WorkerSessionStore) => Promise<Value>,
  logger = silentLogger,
  metrics: Metrics = noMetrics,
): Promise<Value> {
  const store = new WorkerSessionStore(folder, logger, metrics);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

test('what was written is loaded again, changed and removed rows included, and a whole write replaces all', async () => {
  await using folder = await temporaryFolder();
  expect((await withStore(folder.path, (store) => store.load())).positions).toBe('none');
  await withStore(folder.path, async (store) => {
    const other = { ...message, number: 4 };
    const put = { sessions: { put: [session], remove: [] }, retained: { put: [retained], remove: [] } };
    const queued = { put: [message, other], remove: [] };
    await store.write({ ...nothing, ...put, queued, wills: { put: [will], remove: [] } }, true);
    await store.write({ ...nothing, handshakes: [{ number: 3, messageId: 9, isReleased: true }] }, false);
    await store.write(
      { ...nothing, queued: { put: [], remove: [4] }, positions: { 'readings/0': 5, 'readings/1': 6 } },
      false,
    );
  });
  const content = await withStore(folder.path, (store) => store.load());
  expect(content).toMatchObject({
    sessions: [session],
    queued: [{ ...message, payload: expect.anything(), messageId: 9, isReleased: true }],
    positions: { 'readings/0': 5, 'readings/1': 6 },
  });
  expect([...(content.queued[0]?.payload ?? [])]).toEqual([0, 255]);
  expect(content.retained.map((row) => ({ ...row, payload: [...row.payload] }))).toEqual([
    { ...retained, payload: [7] },
  ]);
  expect(content.wills.map((row) => ({ ...row, payload: [...row.payload] }))).toEqual([
    { ...will, payload: [8] },
  ]);
  const whole = await withStore(folder.path, async (store) => {
    await store.write({ ...nothing, isWhole: true, positions: null }, false);
    return await store.load();
  });
  expect(whole).toEqual({ sessions: [], queued: [], retained: [], wills: [], positions: 'lost' });
});

test('what cannot be read is set aside, one of them, and the store begins anew', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'mqtt.sqlite');
  const logger = new KeepingLogger();
  for (const damage of ['first', 'second']) {
    await writeFile(path, damage.repeat(1000));
    await withStore(
      folder.path,
      async (store) => {
        expect((await store.load()).positions).toBe('lost');
        await store.write({ ...nothing, sessions: { put: [session], remove: [] } }, false);
      },
      logger,
    );
  }
  expect(await readFile(`${path}.damaged`, 'utf8')).toMatch(/^second/);
  expect(logger.lines).toHaveLength(2);
  expect((await withStore(folder.path, (store) => store.load())).sessions).toEqual([session]);
  const names = (await readdir(folder.path)).filter((name) => !name.startsWith('mqtt.sqlite'));
  expect(names).toEqual([]);
});

test('a folder in the place of the file is set aside as well; with the data folder gone, writes are refused and nothing else', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'mqtt.sqlite'));
  await withStore(folder.path, async (store) => {
    expect((await store.load()).positions).toBe('lost');
    await store.write(nothing, false);
  });
  await withStore(join(folder.path, 'nowhere'), async (store) => {
    expect((await store.load()).positions).toBe('none');
    store.begin();
    await expect(store.write(nothing, false)).rejects.toThrow();
    await mkdir(join(folder.path, 'nowhere'));
    await store.write(nothing, false);
  });
});

test('one that was begun, but never written, is known to be so', async () => {
  await using folder = await temporaryFolder();
  const logger = new KeepingLogger();
  new WorkerSessionStore(folder.path, logger, noMetrics).begin();
  expect((await withStore(folder.path, (store) => store.load(), logger)).positions).toBe('lost');
  expect(logger.lines).toEqual([]);
});

test('what its files take is told, and what the device is given, over checkpoints', async () => {
  await using folder = await temporaryFolder();
  const metrics = new CountingMetrics();
  const put = [{ ...retained, payload: new Uint8Array(400_000) }];
  const given = (): number => metrics.value('headwater_device_bytes_written_total', { kind: 'other' });
  await withStore(
    folder.path,
    async (store) => {
      for (let round = 1; round <= 8; round += 1) {
        await store.write({ ...nothing, retained: { put, remove: [] } }, false);
        expect(given()).toBeGreaterThan(round * 2 * 400_000);
        expect(given()).toBeLessThan(round * 2 * 500_000);
        expect(store.bytes).toBeGreaterThan(400_000);
      }
    },
    silentLogger,
    metrics,
  );
});
