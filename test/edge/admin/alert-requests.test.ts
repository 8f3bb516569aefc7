import { afterEach, beforeEach, expect, test } from 'vitest';
import { AlertBook } from '../../../src/anomaly/alerts/alert-book.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { AdminServer, type AdminServerOptions } from '../../../src/edge/admin/admin-server.ts';
import type { AlertDesk } from '../../../src/edge/admin/alert-requests.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { findingOf, hall, readingAt } from '../../anomaly/alerts/alert-examples.ts';
import { adminDoor, adminToken as token } from '../../support/admin-door.ts';
import { MemoryLog } from '../../support/memory-log.ts';

let door: Awaited<ReturnType<typeof adminDoor>>;
let book: AlertBook;
let server: AdminServer;

const deskOf = (): AlertDesk => ({
  list: () => book.alerts(),
  heldBack: 3,
  acknowledge: (id, by) => Promise.resolve(book.acknowledge(id, by, 5)),
  shelve: (id, forMs) => Promise.resolve(book.shelve(id, 5 + forMs, 5)),
  unshelve: (id) => Promise.resolve(book.unshelve(id, 6)),
});

/** What has nothing to do with alerts is not asked. */
const unasked = {} as Pick<
  AdminServerOptions,
  'topics' | 'users' | 'status' | 'renderMetrics' | 'reload' | 'serviceLog'
>;
const start = (alerts: AlertDesk | null) =>
  AdminServer.start({
    ...unasked,
    ...door,
    log: new MemoryLog(),
    alerts,
    series: null,
    accepted: () => ({}),
    clients: () => [],
    serial: { watch: () => null },
    metricsContentType: '',
    clock: nodeClock,
    logger: silentLogger,
    metrics: noMetrics,
  });

beforeEach(async () => {
  book = AlertBook.restored(new Map()).book;
  door = await adminDoor();
  server = await start(deskOf());
});

afterEach(async () => {
  await server.stop();
  await door[Symbol.asyncDispose]();
});

async function ask(method: 'GET' | 'POST', path: string, body?: object) {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as { error?: { code: string; message: string } },
  };
}

const raise = (partition = 0) => {
  book.observe({ ...hall, partition }, readingAt(1, 9000), [findingOf('spike')]);
  return book.alerts()[0]?.id ?? expect.fail();
};

test('alerts are listed with a sentence for people, and with what was only counted', async () => {
  raise();
  expect(await ask('GET', '/api/alerts')).toMatchObject({
    status: 200,
    body: {
      alerts: [
        {
          series: 'air:hall:co2',
          topic: 'air',
          state: 'active',
          message: expect.stringContaining('has a spike'),
        },
      ],
      heldBack: 3,
    },
  });
});

test('an alert is acknowledged, shelved and unshelved, by the beginning of its id', async () => {
  const id = raise();
  expect(await ask('POST', `/api/alerts/${id.slice(0, 4)}/ack`, { by: 'anna' })).toMatchObject({
    status: 200,
    body: { id, acknowledgedBy: 'anna', acknowledgedMs: 5 },
  });
  expect(await ask('POST', `/api/alerts/${id}/shelve`, { forMs: 1000 })).toMatchObject({
    status: 200,
    body: { id, shelvedUntilMs: 1005 },
  });
  expect(await ask('POST', `/api/alerts/${id.slice(0, 8)}/unshelve`)).toMatchObject({
    status: 200,
    body: { id, shelvedUntilMs: null },
  });
  expect(await ask('POST', `/api/alerts/${id}/unshelve`)).toMatchObject({
    status: 404,
    body: { error: { code: 'unknown-alert', message: `no alert ${id} is shelved` } },
  });
});

test('what is no id, names none, or several, is refused with what to do', async () => {
  const first = raise();
  expect((await ask('POST', '/api/alerts/xyz/ack', { by: 'anna' })).body.error).toMatchObject({
    code: 'bad-request',
    message: expect.stringContaining('16 hex digits'),
  });
  const unknown = first.startsWith('0000') ? 'ffff' : '0000';
  expect(await ask('POST', `/api/alerts/${unknown}/ack`, { by: 'anna' })).toMatchObject({
    status: 404,
    body: { error: { code: 'unknown-alert' } },
  });
  await server.stop();
  const twin = `${first.slice(0, 15)}${first.endsWith('0') ? '1' : '0'}`;
  const [alert = expect.fail()] = book.alerts();
  server = await start({ ...deskOf(), list: () => [alert, { ...alert, id: twin }] });
  expect(await ask('POST', `/api/alerts/${first.slice(0, 6)}/ack`, { by: 'anna' })).toMatchObject({
    status: 409,
    body: { error: { code: 'ambiguous-alert', message: expect.stringContaining(twin) } },
  });
});

test.each([
  ['ack', {}],
  ['ack', { by: '' }],
  ['ack', { by: 'x'.repeat(33) }],
  ['shelve', { forMs: 0 }],
  ['shelve', { forMs: 1.5 }],
  ['shelve', { forMs: 1e12 }],
  ['shelve', { forMs: 1000, more: 1 }],
])('%s with %j is refused', async (what, body) => {
  const id = raise();
  expect((await ask('POST', `/api/alerts/${id}/${what}`, body)).status).toBe(400);
  expect(book.alerts()).toMatchObject([{ acknowledgedMs: null, shelvedUntilMs: null }]);
});

test('without detection, it is said that it is switched off', async () => {
  await server.stop();
  server = await start(null);
  for (const answer of [await ask('GET', '/api/alerts'), await ask('POST', '/api/alerts/0123/unshelve')]) {
    expect(answer).toMatchObject({
      status: 409,
      body: { error: { code: 'anomaly-off', message: expect.stringContaining('anomaly.enabled') } },
    });
  }
});
