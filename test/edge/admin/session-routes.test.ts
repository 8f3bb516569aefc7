import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { AdminServer, type AdminServerOptions } from '../../../src/edge/admin/admin-server.ts';
import { PortWatchers } from '../../../src/ingest/serial/port-watchers.ts';
import { adminDoor, adminToken } from '../../support/admin-door.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { statusExample } from '../../support/status-example.ts';

const password = 'a good password';
let clock: ManualClock;
let door: Awaited<ReturnType<typeof adminDoor>>;
let server: AdminServer;
let origin: string;

/** What is not asked. */
const unasked = {} as Pick<AdminServerOptions, 'topics' | 'users' | 'reload' | 'renderMetrics'>;

beforeEach(async () => {
  clock = new ManualClock();
  door = await adminDoor(clock);
  server = await AdminServer.start({
    ...unasked,
    ...door,
    log: new MemoryLog(),
    alerts: null,
    series: null,
    accepted: () => ({}),
    clients: () => [],
    serial: { watch: (_name, signal) => new PortWatchers().watch(signal) },
    status: () => Promise.resolve(statusExample),
    serviceLog: () => ({ lines: ['{"level":"warn"}'], leftOut: 3 }),
    metricsContentType: '',
    clock,
    logger: silentLogger,
    metrics: noMetrics,
  });
  origin = `http://127.0.0.1:${server.address.port}`;
});

afterEach(async () => {
  await server.stop();
  await door[Symbol.asyncDispose]();
});

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
  fetch(`${origin}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
const stateFor = async (headers: Record<string, string> = {}): Promise<unknown> =>
  await (await ask('GET', '/api/session', headers)).json();
const claim = (code = door.access.claimCode ?? '') =>
  ask('POST', '/api/claim', { origin }, { code, password });
const login = (given = password) => ask('POST', '/api/session', { origin }, { password: given });
/** What a browser sends back. */
const cookieOf = (answer: Response): { cookie: string } => ({
  cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '',
});

test('a gateway is claimed by its code, then open to who claimed it and to who logs in', async () => {
  expect(await stateFor()).toEqual({ state: 'unclaimed' });
  expect((await login()).status).toBe(409);
  const wrong = await claim('0000-0000-0000-0000');
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get('set-cookie')).toBeNull();
  const claimed = await claim();
  expect([claimed.status, await claimed.json()]).toEqual([200, { state: 'open' }]);
  expect(claimed.headers.get('set-cookie')).toMatch(
    /^headwater=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/$/,
  );
  expect((await claim('')).status).toBe(409);
  expect(await stateFor()).toEqual({ state: 'closed' });
  expect(await stateFor(cookieOf(claimed))).toEqual({ state: 'open' });
  expect(await stateFor({ authorization: `Bearer ${adminToken}` })).toEqual({ state: 'open' });
  const refused = await login('a wrong password');
  expect([refused.status, refused.headers.get('set-cookie')]).toEqual([401, null]);
  expect(await refused.text()).toMatch(/not the password/);
  const loggedIn = await login();
  expect([loggedIn.status, await loggedIn.json()]).toEqual([200, { state: 'open' }]);
  expect((await ask('GET', '/api/status', cookieOf(loggedIn))).status).toBe(200);
  expect((await ask('GET', '/api/status', { cookie: `headwater=${'0'.repeat(64)}` })).status).toBe(401);
});

test('a logout ends the login and what streams by it, and no other', async () => {
  const [mine, other] = [cookieOf(await claim()), cookieOf(await login())];
  const [stream, othersStream] = await Promise.all(
    [mine, other].map((cookie) => ask('GET', '/api/serial/air/events', cookie)),
  );
  const ended = stream?.text().then(
    () => 'ended',
    () => 'cut',
  );
  const out = await ask('DELETE', '/api/session', { ...mine, origin });
  expect([out.status, await out.json()]).toEqual([200, { state: 'closed' }]);
  expect(out.headers.get('set-cookie')).toMatch(/^headwater=; .*Max-Age=0$/);
  expect(await ended).toBe('cut');
  expect((await ask('GET', '/api/status', mine)).status).toBe(401);
  expect((await ask('GET', '/api/status', other)).status).toBe(200);
  await othersStream?.body?.cancel();
});

test('a change by a login needs the origin that a browser of this page sends, and the token does not', async () => {
  const cookie = cookieOf(await claim());
  for (const headers of [{}, { origin: 'http://evil.example' }, { origin: 'null' }])
    expect((await ask('DELETE', '/api/session', { ...cookie, ...headers })).status).toBe(403);
  expect((await ask('GET', '/api/status', cookie)).status).toBe(200);
  const form = await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { ...cookie, origin, 'content-type': 'text/plain' },
    body: JSON.stringify({ password }),
  });
  expect(form.status).toBe(415);
  const byToken = { authorization: `Bearer ${adminToken}` };
  expect((await ask('DELETE', '/api/session', byToken)).status).toBe(200);
});

test('the password is changed by the token alone, and that ends all logins', async () => {
  const cookie = cookieOf(await claim());
  const body = { password: 'another password' };
  expect((await ask('POST', '/api/password', { ...cookie, origin }, body)).status).toBe(403);
  const byToken = { authorization: `Bearer ${adminToken}` };
  expect((await ask('POST', '/api/password', byToken, { password: 'short' })).status).toBe(400);
  expect((await ask('GET', '/api/status', cookie)).status).toBe(200);
  expect((await ask('POST', '/api/password', byToken, body)).status).toBe(200);
  expect((await ask('GET', '/api/status', cookie)).status).toBe(401);
  expect((await login('another password')).status).toBe(200);
});

test('too many wrong passwords are told to wait, and then one is looked at again', async () => {
  await claim();
  for (let tries = 0; tries < limits.loginPairFailuresMax; tries += 1)
    expect((await login('a wrong password')).status).toBe(401);
  const throttled = await login();
  expect(throttled.status).toBe(429);
  const seconds = Number(throttled.headers.get('retry-after'));
  expect(seconds).toBe(limits.loginFailureForgottenMs / 1000);
  clock.pass(seconds * 1000 - 1);
  expect((await login()).status).toBe(429);
  clock.pass(1);
  expect((await login()).status).toBe(200);
});

test('strangers are answered so often in a second, and who is let in always', async () => {
  const cookie = cookieOf(await claim());
  const statuses: number[] = [];
  for (let asked = 0; asked < limits.adminOpenRequestsMax + 10; asked += 1)
    statuses.push((await ask('GET', asked % 2 === 0 ? '/healthz' : '/api/status')).status);
  // The claim was a stranger's request as well.
  expect(statuses.indexOf(429)).toBe(limits.adminOpenRequestsMax - 1);
  expect(statuses.at(-1)).toBe(429);
  const refused = await ask('GET', '/api/session');
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await ask('GET', '/api/status', cookie)).status).toBe(200);
  clock.pass(limits.adminOpenRequestsMs);
  expect((await ask('GET', '/healthz')).status).toBe(200);
});

test('a login that has become too old ends what streams by it at the next look', async () => {
  const cookie = cookieOf(await claim());
  const stream = await ask('GET', '/api/serial/air/events', cookie);
  const cut = vi.fn();
  const ended = stream.text().catch(cut);
  clock.pass(limits.adminLoginIdleMsMax);
  expect(await stateFor(cookie)).toEqual({ state: 'closed' });
  await ended;
  expect(cut).toHaveBeenCalled();
});

test('the service log is read by the token alone', async () => {
  const cookie = cookieOf(await claim());
  const byToken = { authorization: `Bearer ${adminToken}` };
  const read = (headers: Record<string, string>) => ask('GET', '/api/service-log', headers);
  expect([(await read({})).status, (await read(cookie)).status]).toEqual([401, 403]);
  expect(await (await read(byToken)).json()).toEqual({ lines: ['{"level":"warn"}'], leftOut: 3 });
});
