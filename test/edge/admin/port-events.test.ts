import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { AdminServer, type AdminServerOptions } from '../../../src/edge/admin/admin-server.ts';
import { portEventJson } from '../../../src/edge/admin/port-event-json.ts';
import { PortWatchers } from '../../../src/ingest/serial/port-watchers.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { adminDoor, adminToken as token } from '../../support/admin-door.ts';
import { MemoryLog } from '../../support/memory-log.ts';

let door: Awaited<ReturnType<typeof adminDoor>>;
let watchers: PortWatchers;
let server: AdminServer;

/** What has nothing to do with ports is not asked. */
const unasked = {} as Pick<
  AdminServerOptions,
  'topics' | 'users' | 'status' | 'renderMetrics' | 'reload' | 'serviceLog'
>;

beforeEach(async () => {
  watchers = new PortWatchers();
  door = await adminDoor();
  server = await AdminServer.start({
    ...unasked,
    ...door,
    log: new MemoryLog(),
    serial: { watch: (name, signal) => (name === 'air' ? watchers.watch(signal) : null) },
    alerts: null,
    series: null,
    accepted: () => ({}),
    clients: () => [],
    metricsContentType: '',
    clock: nodeClock,
    logger: silentLogger,
    metrics: noMetrics,
  });
});

afterEach(async () => {
  await server.stop();
  await door[Symbol.asyncDispose]();
});

const ask = (name: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.address.port}/api/serial/${name}/events`, {
    headers: { authorization: `Bearer ${token}` },
    ...(signal && { signal }),
  });

test('what happens at a port is streamed as it happens, until the client goes', async () => {
  const leaving = new AbortController();
  const answer = await ask('air', leaving.signal);
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
  watchers.tell({ kind: 'received', atMs: 1, bytes: Uint8Array.of(0x41, 0xff) });
  const reader = answer.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toBe('{"kind":"received","atMs":1,"hex":"41ff"}\n');
  leaving.abort();
  await expect.poll(() => watchers.isWatched).toBe(false);
});

test('a stop of the server ends the stream', async () => {
  const answer = await ask('air');
  const text = answer.text();
  await server.stop();
  expect(await text).toBe('');
});

test('there is no stream of a port that is not configured, nor of too many', async () => {
  const none = await ask('moon');
  expect([none.status, await none.json()]).toEqual([
    404,
    { error: { code: 'not-found', message: 'the gateway has no serial port moon' } },
  ]);
  const answers: Response[] = [];
  for (let count = 0; count < limits.adminRecordStreamsMax; count += 1) answers.push(await ask('air'));
  expect((await ask('air')).status).toBe(429);
  await Promise.all(answers.map((answer) => answer.body?.cancel()));
  await expect.poll(async () => (await ask('air')).status).toBe(200);
});

test('the value of a frame is text if it can be', () => {
  const frame = { kind: 'frame', atMs: 1, bytes: Uint8Array.of(0x31) } as const;
  expect(portEventJson({ ...frame, value: Uint8Array.of(0x31) })).toEqual({
    kind: 'frame',
    atMs: 1,
    hex: '31',
    value: '1',
  });
  expect(portEventJson({ ...frame, value: Uint8Array.of(0xff) })).toMatchObject({ valueHex: 'ff' });
  expect(portEventJson({ kind: 'missed', atMs: 1, count: 2 })).toEqual({ kind: 'missed', atMs: 1, count: 2 });
});
