import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { AdminServer, type AdminServerOptions } from '../../../src/edge/admin/admin-server.ts';
import { PortWatchers } from '../../../src/ingest/serial/port-watchers.ts';
import { adminDoor, adminToken } from '../../support/admin-door.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { statusExample } from '../../support/status-example.ts';

const bearer = `authorization: Bearer ${adminToken}`;
let clock: ManualClock;
let door: Awaited<ReturnType<typeof adminDoor>>;
let server: AdminServer;
let port: number;

/** What is not asked. */
const unasked = {} as Pick<
  AdminServerOptions,
  'topics' | 'users' | 'reload' | 'renderMetrics' | 'serviceLog'
>;

beforeEach(async () => {
  clock = new ManualClock();
  door = await adminDoor(clock);
  server = await AdminServer.start({
    ...unasked,
    ...door,
    names: () => ({
      machine: new Set(['gw1', 'gw1.local', '192.0.2.7', 'fd00::2']),
      configured: new Set(['gw.example']),
    }),
    log: new MemoryLog(),
    alerts: null,
    series: null,
    accepted: () => ({}),
    clients: () => [],
    serial: { watch: (_name, signal) => new PortWatchers().watch(signal) },
    status: () => Promise.resolve(statusExample),
    metricsContentType: '',
    clock,
    logger: silentLogger,
    metrics: noMetrics,
  });
  ({ port } = server.address);
});

afterEach(async () => {
  await server.stop();
  await door[Symbol.asyncDispose]();
});

/** One request, after whose answer the connection ends. */
const send = (
  target: string,
  { method = 'GET', lines = [] as readonly string[], body = '', host = `127.0.0.1:${port}` } = {},
) => {
  // Each is a stranger's, and none is to be refused for being one too many.
  clock.pass(limits.adminOpenRequestsMs);
  const head = [`${method} ${target} HTTP/1.1`, `host: ${host}`, 'connection: close', ...lines];
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return rawExchange(port, `${[...head, ...length].join('\r\n')}\r\n\r\n${body}`);
};

const tricks = [
  '/..%2fapi%2fstatus',
  '/..%2fapi/status',
  '//api/status',
  '///api/status',
  '/api//status',
  '/./api/status',
  '/healthz/../api/status',
  '/healthz/..%2fapi/status',
  '/healthz%2f..%2fapi%2fstatus',
  '/api/%2e%2e/api/status',
  '/api/status/',
  '/api/status;a=b',
  '/api/status%00',
  '/api/status%20',
  '/api\\status',
  '/\\api/status',
  '/API/STATUS',
  '/%61pi/status',
  '/%2561pi/status',
  '/api/%73tatus',
  '/api/status%3f',
  '/%c0%ae%c0%ae/api/status',
  '/%E0%A4%A',
  '/#/api/status',
  '*',
  'api/status',
  '/..;/api/status',
];

describe('paths', () => {
  test.each(tricks)('%s opens nothing to a stranger', async (target) => {
    const answer = await send(target);
    expect(answer.text).not.toContain(statusExample.logId);
    expect([400, 401]).toContain(answer.status);
  });

  test.each([
    '//api/status',
    '/api//status',
    '/api\\status',
    '/#/api/status',
    '*',
    'api/status',
    '/..%2fapi%2fstatus',
  ])('%s leads nowhere, with the token as well', async (target) => {
    expect([400, 404]).toContain((await send(target, { lines: [bearer] })).status);
  });

  test('a whole address in the place of a path is refused, whose ever it is', async () => {
    for (const base of [`http://127.0.0.1:${port}`, 'http://evil.example', 'https://evil.example', 'ftp://x'])
      expect((await send(`${base}/api/status`, { lines: [bearer] })).status).toBe(400);
    expect((await send('evil.example:443', { method: 'CONNECT' })).status).not.toBe(200);
  });
});

describe('hosts', () => {
  test.each(['gw1', 'GW1.local', '192.0.2.7', '[fd00::2]', 'localhost', '127.0.0.1', '[::1]'])(
    '%s with our port is ours, with another or none it is not',
    async (name) => {
      expect((await send('/healthz', { host: `${name}:${port}` })).status).toBe(200);
      for (const host of [name, `${name}:1`, `${name}:${port}0`, `${name}:`])
        expect((await send('/healthz', { host })).status).toBe(403);
    },
  );

  test('a configured name is ours at any port, as a proxy has it', async () => {
    for (const host of ['gw.example', 'GW.example:443', 'gw.example:8443'])
      expect((await send('/healthz', { host })).status).toBe(200);
  });

  test.each([
    'evil.example',
    'gw1.evil.example',
    'xgw.example',
    'gw.example.',
    'gw.example@evil',
    '192.0.2.8',
    '[192.0.2.7]',
    'fd00::2',
    '[fd00::2',
    '[gw.example]',
    '',
    ' ',
    '%31',
  ])('"%s" is not ours', async (name) => {
    for (const host of [name, `${name}:${port}`])
      expect([400, 403]).toContain((await send('/healthz', { host, lines: [bearer] })).status);
  });

  test('two of them, or none, are refused', async () => {
    const two = await send('/healthz', { lines: [`host: 127.0.0.1:${port}`] });
    const other = await send('/healthz', { lines: ['host: evil.example'] });
    const none = await rawExchange(port, 'GET /healthz HTTP/1.0\r\n\r\n');
    expect([two.status, other.status, none.status]).toEqual([403, 403, 403]);
  });
});

describe('origins', () => {
  test('are scheme and host of the request itself, or the request is refused', async () => {
    for (const host of [`gw1:${port}`, `[::1]:${port}`]) {
      const by = (origin: string) => send('/api/status', { host, lines: [bearer, `origin: ${origin}`] });
      expect((await by(`http://${host}`)).status).toBe(200);
      for (const origin of [
        `https://${host}`,
        `http://127.0.0.1:${port}`,
        'http://evil.example',
        'null',
        'http://',
      ])
        expect((await by(origin)).status).toBe(403);
    }
  });

  test('may be HTTPS for a configured name: a proxy on this machine takes that off, and the login is for HTTPS then', async () => {
    const by = (host: string, origin: string) =>
      send('/api/status', { host, lines: [bearer, `origin: ${origin}`] });
    for (const host of ['gw.example', 'GW.example:443', 'gw.example:8443'])
      for (const scheme of ['http', 'https'])
        expect((await by(host, `${scheme}://${host}`)).status).toBe(200);
    for (const [host, origin] of [
      ['gw.example', 'https://gw.example:8443'],
      ['gw.example:8443', 'https://gw.example'],
      ['gw.example', 'https://gw1.local'],
      ['gw.example', 'https://evil.gw.example'],
      ['gw.example', 'wss://gw.example'],
      [`127.0.0.1:${port}`, 'https://gw.example'],
      ['evil.example', 'https://evil.example'],
    ] as const)
      expect((await by(host, origin)).status).toBe(403);

    const change = (origin: string, method: string, more: readonly string[] = [], body = '') =>
      send(method === 'POST' ? '/api/claim' : '/api/session', {
        method,
        host: 'gw.example',
        lines: [`origin: ${origin}`, ...more],
        body,
      });
    const json = ['content-type: application/json'];
    const claim = JSON.stringify({ code: door.access.claimCode, password: 'a good password' });
    const claimed = await change('HTTPS://gw.example', 'POST', json, claim);
    expect(claimed.status).toBe(200);
    expect(claimed.headers).toMatch(
      /^set-cookie: headwater=\w+; HttpOnly; SameSite=Strict; Path=\/; Secure\r?$/im,
    );
    const cookie = /headwater=\w+/.exec(claimed.headers)?.[0] ?? '';
    expect((await change('https://gw.example', 'DELETE', [`cookie: ${cookie}`])).headers).toMatch(
      /^set-cookie: headwater=; .*; Secure; Max-Age=0\r?$/im,
    );
    const login = await send('/api/session', {
      method: 'POST',
      host: 'gw.example',
      lines: ['origin: http://gw.example', ...json],
      body: JSON.stringify({ password: 'a good password' }),
    });
    expect(login.headers).toMatch(/^set-cookie: headwater=\w+; HttpOnly; SameSite=Strict; Path=\/\r?$/im);
  });

  test('no preflight of a browser is allowed anything, not even our own page', async () => {
    for (const origin of ['http://evil.example', `http://127.0.0.1:${port}`])
      for (const target of ['/api/topics', '/api/session', '/healthz']) {
        const lines = [
          `origin: ${origin}`,
          'access-control-request-method: POST',
          'access-control-request-headers: authorization, content-type',
          'access-control-request-private-network: true',
        ];
        const answer = await send(target, { method: 'OPTIONS', lines });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.headers).not.toMatch(/^access-control/im);
      }
  });
});

describe('what is too much', () => {
  test('a body above its limit is refused before it is read, announced or not', async () => {
    const json = 'content-type: application/json';
    const announced = (length: number) => [json, `content-length: ${length}`];
    const login = { method: 'POST' };
    const tooLong = announced(limits.adminOpenRequestBytesMax + 1);
    expect((await send('/api/session', { ...login, lines: tooLong })).status).toBe(413);
    expect((await send('/api/claim', { ...login, lines: tooLong })).status).toBe(413);
    // A stranger's is not even looked at where only others may send one.
    const large = announced(limits.adminRequestBytesMax + 1);
    expect((await send('/api/records', { ...login, lines: large })).status).toBe(401);
    expect((await send('/api/records', { ...login, lines: [bearer, ...large] })).status).toBe(413);
    const chunked = [bearer, json, 'transfer-encoding: chunked'];
    const body = `${(limits.adminRequestBytesMax + 1).toString(16)}\r\n${'a'.repeat(limits.adminRequestBytesMax + 1)}`;
    const head = ['POST /api/records HTTP/1.1', `host: 127.0.0.1:${port}`, ...chunked].join('\r\n');
    const answer = await rawExchange(port, `${head}\r\n\r\n${body}`);
    // The rest of what it sends may reset the connection before the answer is read.
    expect([413, null]).toContain(answer.status);
  });

  test('headers above their limit are refused, one or many', async () => {
    const long = [`x: ${'a'.repeat(limits.adminHeaderBytesMax)}`];
    const many = Array.from({ length: 5_000 }, (_, index) => `x${index}: y`);
    for (const lines of [long, many])
      expect([431, null]).toContain((await send('/healthz', { lines })).status);
    expect([431, 414, null]).toContain((await send(`/${'a'.repeat(limits.adminHeaderBytesMax)}`)).status);
    expect((await send('/healthz')).status).toBe(200);
  });

  test('a claim that is no JSON, or another kind of content, is refused', async () => {
    const claim = (contentType: string | null, body: string) =>
      send('/api/claim', {
        method: 'POST',
        body,
        lines: contentType === null ? [] : [`content-type: ${contentType}`],
      });
    const good = JSON.stringify({ code: door.access.claimCode, password: 'a good password' });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
      'json',
      '',
      null,
    ])
      expect([400, 415]).toContain((await claim(type, good)).status);
    for (const body of [
      '{',
      '[]',
      'null',
      '"a"',
      '{"code":1,"password":"a good password"}',
      good.replace('{', '{"more":1,'),
    ])
      expect((await claim('application/json', body)).status).toBe(400);
    expect(door.access.state).toBe('unclaimed');
    expect((await claim('application/json', good)).status).toBe(200);
  });

  test('a request in two ways at once is none', async () => {
    const both = ['content-length: 5', 'transfer-encoding: chunked', 'content-type: application/json'];
    const twice = ['content-length: 5', 'content-length: 6', 'content-type: application/json'];
    for (const lines of [both, twice, ['transfer-encoding: chunked, identity'], [' folded: x'], ['a\0b: c']])
      expect((await send('/api/session', { method: 'POST', lines: [bearer, ...lines] })).status).toBe(400);
  });
});

test('every answer has the headers that keep a browser from misusing it, errors and streams included', async () => {
  const leaving = new AbortController();
  const stream = await fetch(`http://127.0.0.1:${port}/api/serial/air/events`, {
    headers: { authorization: `Bearer ${adminToken}` },
    signal: leaving.signal,
  });
  const headersOfStream = [...stream.headers].map(([name, value]) => `${name}: ${value}`).join('\r\n');
  leaving.abort();
  const answers = await Promise.all([
    send('/healthz'),
    send('/api/status', { lines: [bearer] }),
    send('/api/status'),
    send('/api/nothing', { lines: [bearer] }),
    send('/%E0%A4%A'),
    send('/healthz', { host: 'evil' }),
    rawExchange(port, 'nonsense\r\n\r\n'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 404, 400, 403, 400]);
  for (const headers of [...answers.map((one) => one.headers), headersOfStream]) {
    expect(headers).toMatch(/^content-security-policy: default-src 'self';.* frame-ancestors 'none'/im);
    expect(headers).toMatch(/^x-content-type-options: nosniff/im);
    expect(headers).toMatch(/^referrer-policy: no-referrer/im);
    expect(headers).toMatch(/^cache-control: no-store/im);
    expect(headers).not.toMatch(/^(?:access-control|server|x-powered-by)/im);
  }
});
