import { request } from 'node:http';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { PageFrame } from '../../src/edge/admin/page-frame.ts';
import type { SeriesHistory } from '../../src/edge/admin/series-history.ts';
import type { SeriesPage } from '../../src/edge/admin/series-list.ts';
import { lineProblem } from '../support/answer-check.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const timeout = 15_000;

/** The frames of `GET /api/events`, one after the other. */
async function* frames(gateway: RunningGateway, signal: AbortSignal): AsyncGenerator<PageFrame> {
  const { body, headers } = await gateway.api('/api/events', { signal });
  expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  let text = '';
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = event.slice('data: '.length);
      expect(lineProblem('/api/events', data)).toBeNull();
      yield JSON.parse(data) as PageFrame;
    }
  }
}

/** Sends a path as it is, which `fetch` would tidy up; without a login. */
const statusOf = (gateway: RunningGateway, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const [host, port] = gateway.admin.split(':');
    const asked = request({ host, port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
    asked.end();
  });

test('the page is for everybody, and nothing that it shows is', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const url = `http://${gateway.admin}`;
  const page = await fetch(`${url}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const html = await page.text();
  for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g))
    expect((await fetch(`${url}${path}`)).status).toBe(200);
  const main = await fetch(`${url}/page/main.js`);
  const etag = main.headers.get('etag') ?? '';
  expect((await fetch(`${url}/page/main.js`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  for (const path of [
    '/api/events',
    '/api/series',
    '/api/series/history?name=x',
    '/api/topics/readings/newest',
  ])
    expect((await fetch(`${url}${path}`)).status).toBe(401);
  for (const path of [
    '/page/tsconfig.json',
    '/page/../admin/admin-server.ts',
    '/page/..%2fadmin%2fadmin-server.ts',
    '/page/%2e%2e/%2e%2e/%2e%2e/package.json',
    '/page/%00',
    '/page/__proto__',
    '/page/',
  ])
    expect([400, 401, 404]).toContain(await statusOf(gateway, path));
});

test('what happens is seen as it happens: frames, series, and the course of one', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const client = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
  const leaving = new AbortController();
  try {
    const seen = frames(gateway, leaving.signal);
    const { value: first } = (await seen.next()) as { value: PageFrame };
    expect(first).toMatchObject({
      accepted: {},
      alerts: [],
      status: { state: 'ready', log: { fill: { state: 'unknown' } } },
    });
    for (let count = 0; count < 40; count += 1)
      await client.publishAsync('sensors/hall', `{"temperature":${20 + (count % 7) / 10}}`, { qos: 1 });
    await client.publishAsync('sensors/hall', '{"temperature":-127}', { qos: 1 });
    const sentMs = performance.now();
    for await (const { accepted, alerts } of seen)
      if (accepted['mqtt'] === 41 && alerts?.[0]?.kind === 'sentinel') break;
    expect(performance.now() - sentMs).toBeLessThan(5_000);

    const { series } = (await (await gateway.api('/api/series?search=HALL')).json()) as SeriesPage;
    expect(series).toMatchObject([
      { key: 'sensors/hall', path: 'temperature', value: -127, readings: 41, alerts: 1 },
    ]);
    expect(series[0]?.recent).toHaveLength(40);
    const query = new URLSearchParams({ name: series[0]?.name ?? '', seconds: '60' });
    const history = (await (await gateway.api(`/api/series/history?${query}`)).json()) as SeriesHistory;
    expect(history).toMatchObject({
      readings: 41,
      isCut: false,
      anomalies: [{ kind: 'sentinel', isOpen: true }],
    });
    const { low, high } = history.range;
    expect(low).toBeLessThan(20);
    expect(high).toBeGreaterThan(20.6);

    expect((await gateway.api('/api/series/history?name=elsewhere')).status).toBe(404);
    expect((await gateway.api('/api/series?limit=0')).status).toBe(400);
    expect((await gateway.api('/api/series?order=up')).status).toBe(400);
    const newest = await (await gateway.api('/api/topics/readings/newest?limit=1')).json();
    expect(newest).toMatchObject({ topic: 'readings', records: [{ key: 'sensors/hall', valueLength: 20 }] });
  } finally {
    leaving.abort();
    client.end(true);
  }
});

test('viewers are bounded; who leaves makes room; a stop does not wait for them', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({
    dataDir: join(folder.path, 'data'),
    set: ['anomaly.enabled=false'],
  });
  const leaving = new AbortController();
  const streams = await Promise.all(
    Array.from({ length: limits.viewersMax }, () => gateway.api('/api/events', { signal: leaving.signal })),
  );
  for (const { status } of streams) expect(status).toBe(200);
  // A stream that nobody reads ends when its response is collected as garbage.
  const reading = streams.map((stream) => stream.text().catch(() => 'left'));
  expect((await gateway.api('/api/events')).status).toBe(429);
  leaving.abort();
  await Promise.all(reading);
  const again = (): Promise<number> => gateway.api('/api/events').then(({ status }) => status);
  await expect.poll(again, { timeout }).toBe(200);
  expect((await gateway.api('/api/series')).status).toBe(409);
  expect(await gateway.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});
