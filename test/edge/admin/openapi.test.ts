import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { AdminServer, type AdminServerOptions } from '../../../src/edge/admin/admin-server.ts';
import { ApiDescription, type OpenApi } from '../../../src/edge/admin/description/openapi.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { adminDoor, adminToken } from '../../support/admin-door.ts';
import { answerProblem, lineProblem } from '../../support/answer-check.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { statusExample } from '../../support/status-example.ts';

/** What is not asked. */
const unasked = {} as Pick<
  AdminServerOptions,
  'topics' | 'users' | 'reload' | 'renderMetrics' | 'serviceLog'
>;

async function started() {
  const door = await adminDoor();
  const server = await AdminServer.start({
    ...unasked,
    ...door,
    log: new MemoryLog(),
    alerts: null,
    series: null,
    accepted: () => ({}),
    clients: () => [],
    serial: { watch: () => null },
    status: () => Promise.resolve(statusExample),
    metricsContentType: '',
    clock: nodeClock,
    logger: silentLogger,
    metrics: noMetrics,
  });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.address.port}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${adminToken}`, ...init.headers },
    });
  return {
    ask,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await door[Symbol.asyncDispose]();
    },
  };
}

test('openapi.json is what the routes of the server say; npm run openapi writes it', async () => {
  await using server = await started();
  const answer = await server.ask('/api/openapi.json');
  const description = (await answer.json()) as OpenApi;
  expect(description.openapi).toBe('3.1.0');
  await expect(`${JSON.stringify(description, null, 2)}\n`).toMatchFileSnapshot('../../../openapi.json');
});

test('each route that is described is there, and wants the token or a login if it says so', async () => {
  await using server = await started();
  const { paths } = (await (await server.ask('/api/openapi.json')).json()) as OpenApi;
  for (const [path, operations] of Object.entries(paths))
    for (const [method, { security }] of Object.entries(operations)) {
      const init = { method: method.toUpperCase(), headers: { authorization: 'Bearer none' } };
      const stranger = await server.ask(path.replaceAll(/\{\w+\}/g, 'x'), init);
      const isOpen = (security as readonly object[]).length === 0;
      expect([path, method, stranger.status === 401]).toEqual([path, method, !isOpen]);
    }
  // What is not described is not there.
  const none = await server.ask('/api/nothing');
  expect([none.status, await none.text()]).toEqual([404, expect.stringContaining('there is no GET')]);
});

test('a route of the API without a summary or the schemas of its answers is a bug that stops the start', () => {
  const description = new ApiDescription();
  const route = { method: 'GET', url: '/api/new', schema: { summary: 'New.', response: {} } };
  expect(() => description.add(route)).not.toThrow();
  expect(() => description.add({ ...route, schema: {} })).toThrow(/GET \/api\/new has a summary/);
  expect(() => description.add({ method: 'GET', url: '/metrics' })).toThrow(/summary/);
  expect(() => description.add({ method: 'GET', url: '/' })).not.toThrow();
  expect(Object.keys(description.document().paths)).toEqual(['/api/new']);
});

test('an answer with a field too many or too few, of another type or of an unknown route is found', () => {
  const status = (body: object) =>
    answerProblem({ method: 'GET', url: '/api/status' }, 200, 'application/json', JSON.stringify(body));
  expect(status(statusExample)).toBeNull();
  expect(status({ ...statusExample, more: 1 })).toMatch(/must NOT have additional properties/);
  expect(status({ ...statusExample, log: { ...statusExample.log, commits: '42' } })).toMatch(
    /must be integer/,
  );
  const { logId: _, ...less } = statusExample;
  expect(status(less)).toMatch(/must have required property 'logId'/);
  const other = (method: string, url: string, code = 200, type = 'application/json') =>
    answerProblem({ method, url }, code, type, '{"error":{"code":"a","message":"b"}}');
  expect(other('GET', '/api/other')).toMatch(/npm run openapi/);
  expect(other('PUT', '/api/status')).toMatch(/npm run openapi/);
  expect(other('GET', '/api/status', 200, 'text/html')).toMatch(/not described/);
  expect(other('GET', '/api/status', 409)).toBeNull();
  expect(other('PATCH', '/api/topics/:name')).toMatch(/additional properties/);
  expect(lineProblem('/api/records', '{"topic":"a"}')).toMatch(/required/);
});
