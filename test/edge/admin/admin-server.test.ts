import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { AdminServer, type AdminServerOptions } from '../../../src/edge/admin/admin-server.ts';
import { healthReport } from '../../../src/edge/health/health-report.ts';
import { MetricsRegistry } from '../../../src/edge/metrics-registry.ts';
import { TopicChanges } from '../../../src/edge/topic-changes.ts';
import { Users } from '../../../src/edge/users/users.ts';
import { TopicMapping } from '../../../src/forwarder/cluster/topic-mapping.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { adminDoor, cheapHasher, adminToken as token } from '../../support/admin-door.ts';
import { lineProblem } from '../../support/answer-check.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { statusExample } from '../../support/status-example.ts';

const configured = { fixed: { partitions: 1, settings: {} } };
let log: MemoryLog;
let metrics: MetricsRegistry;
let server: AdminServer;
let door: Awaited<ReturnType<typeof adminDoor>>;
let users: Users;
let reload: AdminServerOptions['reload'];
/** How long no commit has completed that should have. */
let stuckMs: number | null;

beforeEach(async () => {
  log = new MemoryLog();
  stuckMs = null;
  metrics = new MetricsRegistry();
  await log.createTopic('readings', 2);
  door = await adminDoor();
  users = await Users.open(door.dataDir, cheapHasher());
  server = await AdminServer.start(options());
});

afterEach(async () => {
  await server.stop();
  await door[Symbol.asyncDispose]();
});

describe('who may ask', () => {
  test('health and readiness are answered without a token, everything else is not', async () => {
    for (const path of ['/healthz', '/readyz'])
      expect((await ask(path, { authorization: null })).status).toBe(200);
    for (const path of [
      '/metrics',
      '/api/status',
      '/api/topics',
      '/api/records?topic=readings',
      '/elsewhere',
    ]) {
      const answer = await ask(path, { authorization: null });
      expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
  });

  test.each([
    'Bearer',
    'Bearer ',
    `Bearer ${token}0`,
    `Bearer ${token.slice(1)}`,
    `Basic ${token}`,
    token,
    'Bearer é',
  ])('the authorization "%s" is refused', async (authorization) => {
    expect((await ask('/api/status', { authorization })).status).toBe(401);
  });

  test('the right token is accepted', async () => {
    expect(await ask('/api/status')).toMatchObject({ status: 200, body: { gateway: 'gw1' } });
  });

  test.each(['localhost', '127.0.0.1', '127.8.9.1', '[::1]', 'LocalHost'])(
    'the host %s is ours',
    async (host) => {
      expect((await ask('/healthz', { host: `${host}:${server.address.port}` })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.1.2',
    'localhost@evil',
    '',
  ])(
    'the host "%s" is refused, also with the token: a name of a web page may have been re-bound to loopback',
    async (host) => {
      for (const path of ['/healthz', '/api/status']) {
        const answer = await ask(path, { host: `${host}:${server.address.port}` });
        expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
      }
    },
  );

  test('a host with another port, or none, is refused', async () => {
    expect((await ask('/healthz', { host: 'localhost' })).status).toBe(403);
    expect((await ask('/healthz', { host: 'localhost:1' })).status).toBe(403);
  });

  test('only our own origin is accepted, and no answer allows another', async () => {
    const own = `http://127.0.0.1:${server.address.port}`;
    expect((await ask('/api/status', { origin: own })).status).toBe(200);
    for (const origin of [
      'http://evil.example',
      'null',
      'http://127.0.0.1:1',
      own.replace('http', 'https'),
      '',
    ]) {
      const answer = await ask('/api/status', { origin });
      expect(answer.status).toBe(403);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect((await ask('/api/status', { method: 'OPTIONS', origin: 'http://evil.example' })).status).toBe(403);
  });
});

describe('health', () => {
  test('not ready while the log cannot make anything durable, and still healthy', async () => {
    log.available = false;
    log.unavailableReason = 'EIO on sync';
    const ready = await ask('/readyz');
    expect(ready).toMatchObject({ status: 503, body: { ready: false } });
    expect(JSON.stringify(ready.body)).toContain('EIO on sync');
    expect(await ask('/healthz')).toMatchObject({
      status: 200,
      body: { healthy: true, reasons: ['EIO on sync'] },
    });
  });

  test('neither ready nor healthy when no commit completes', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: { healthy: true, reasons: [] } });
    stuckMs = 43_210;
    const reasons = ['no commit has completed for 43 s: the disk does not answer'];
    expect(await ask('/healthz')).toMatchObject({ status: 503, body: { healthy: false, reasons } });
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: { ready: false, reasons } });
  });

  test.each(['/healthz', '/readyz', '/'])(
    'HEAD %s says what GET does, without a body or a token',
    async (path) => {
      for (const since of [null, 43_210]) {
        stuckMs = since;
        const [got, asked] = [
          await ask(path, { authorization: null }),
          await ask(path, { method: 'HEAD', authorization: null }),
        ];
        expect(got.status).toBe(since === null || path === '/' ? 200 : 503);
        expect([asked.status, asked.text]).toEqual([got.status, '']);
        for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
          expect([name, asked.headers[name]]).toEqual([name, got.headers[name]]);
      }
    },
  );

  test('HEAD of anything else is for nobody', async () => {
    expect((await ask('/api/status', { method: 'HEAD', authorization: null })).status).toBe(401);
    expect((await ask('/api/status', { method: 'HEAD' })).status).toBe(404);
  });

  test('metrics come in the format of Prometheus', async () => {
    const answer = await ask('/metrics');
    expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(answer.text).toContain('# TYPE headwater_commit_seconds histogram');
  });
});

describe('topics', () => {
  test('are listed with how far their partitions reach', async () => {
    await log.append([text('a')]);
    const partitions = [
      { partition: 0, logStartOffset: 0, highWatermark: 1 },
      { partition: 1, logStartOffset: 0, highWatermark: 0 },
    ];
    expect((await ask('/api/topics')).body).toEqual({ topics: [{ name: 'readings', partitions }] });
  });

  test('are created once', async () => {
    const body = { name: 'temperature', partitions: 3 };
    const created = await ask('/api/topics', { method: 'POST', body });
    expect(created).toMatchObject({ status: 201, body: { name: 'temperature' } });
    expect(log.topics()).toContainEqual({ ...body, settings: {} });
    const again = await ask('/api/topics', { method: 'POST', body });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'topic-exists' } } });
  });

  test.each([
    {},
    { name: 'a' },
    { name: 'a', partitions: 0 },
    { name: 'a', partitions: '2' },
    { name: 1, partitions: 2 },
  ])('the request %j is refused with what is wrong', async (body) => {
    const answer = await ask('/api/topics', { method: 'POST', body });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad-request' } } });
    expect(answer.text).toMatch(/name|partitions/);
  });
});

describe('one topic', () => {
  const change = (name: string, body: object) => ask(`/api/topics/${name}`, { method: 'PATCH', body });

  test('is described with its settings, and where they come from', async () => {
    await log.createTopic('air', 1, { retention: { bytes: 5 } });
    expect(await ask('/api/topics/air')).toMatchObject({
      status: 200,
      body: {
        name: 'air',
        isConfigured: false,
        writers: [],
        settings: {
          retention: { value: { bytes: 5 }, source: 'kept' },
          compression: { value: 'zstd', source: 'default' },
        },
        partitions: [{ partition: 0, logStartOffset: 0, highWatermark: 0 }],
      },
    });
    expect((await ask('/api/topics/none')).status).toBe(404);
  });

  test('is changed by a JSON merge patch, and answered as it is then', async () => {
    await log.createTopic('air', 1, { retention: { bytes: 5 }, priority: 3 });
    const answer = await change('air', {
      partitions: 2,
      settings: { retention: { ageMs: 6 }, priority: null },
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        settings: {
          retention: { value: { bytes: 5, ageMs: 6 } },
          priority: { value: 5, source: 'default' },
        },
        partitions: [{ partition: 0 }, { partition: 1 }],
      },
    });
    expect(log.topics()).toContainEqual({
      name: 'air',
      partitions: 2,
      settings: { retention: { bytes: 5, ageMs: 6 } },
    });
  });

  test('is created with settings, under a name of the largest length', async () => {
    const name = 'a'.repeat(limits.topicNameLengthMax - 'g.'.length);
    const body = {
      name,
      partitions: 1,
      settings: { retention: 'until-forwarded', compression: 'gzip', lane: 'alarm' },
    };
    expect((await ask('/api/topics', { method: 'POST', body })).status).toBe(201);
    expect(log.topics()).toContainEqual(body);
    expect((await ask(`/api/topics/${name}`)).status).toBe(200);
  });

  test.each([
    {},
    { partition: 2 },
    { partitions: 0 },
    { settings: { retention: 'for-ever' } },
    { settings: { retention: { bytes: 0 } } },
    { settings: { retention: { age: 5 } } },
    { settings: { segmentBytes: limits.segmentBytesMin - 1 } },
    { settings: { compression: 'lz4' } },
    { settings: { lane: 'fast' } },
    { settings: { priority: 10 } },
    { settings: { priority: '5' } },
    { settings: { centralPartitions: 257 } },
    { settings: { dropUnforwarded: 'yes' } },
    { settings: { dropUnforwarded: true } },
  ])('is not changed by %j', async (body) => {
    await log.createTopic('air', 1, { priority: 3 });
    expect((await change('air', body)).status).toBe(400);
    expect(log.topics()).toContainEqual({ name: 'air', partitions: 1, settings: { priority: 3 } });
  });

  test('is not changed while the configuration names it', async () => {
    await log.createTopic('fixed', 1);
    const answer = await change('fixed', { settings: { priority: 1 } });
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'topic-configured' } } });
  });

  test('is deleted, answered as it was, and gone', async () => {
    await log.createTopic('air', 1);
    await log.append([{ ...text('a'), topic: 'air' }]);
    expect(await ask('/api/topics/air', { method: 'DELETE' })).toMatchObject({
      status: 200,
      body: { name: 'air', partitions: [{ highWatermark: 1 }] },
    });
    expect((await ask('/api/topics/air')).status).toBe(404);
    expect((await ask('/api/topics/air', { method: 'DELETE' })).status).toBe(404);
  });

  test('is not deleted while something writes to it', async () => {
    const answer = await ask('/api/topics/readings', { method: 'DELETE' });
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'topic-in-use' } } });
  });
});

describe('appending', () => {
  test('answers with partitions and offsets once the records are durable, and counts them', async () => {
    const records = [
      { value: 'a' },
      { key: 'k', value: 'ü', partition: 1 },
      { key: null, value: null, partition: 1 },
    ];
    const answer = await ask('/api/records', { method: 'POST', body: { topic: 'readings', records } });
    expect(answer.body).toEqual({
      records: [
        { partition: 0, offset: 0 },
        { partition: 1, offset: 0 },
        { partition: 1, offset: 1 },
      ],
    });
    expect(await linesOf('/api/records?topic=readings&partition=1')).toMatchObject([
      { offset: 0, key: 'k', value: 'ü' },
      { offset: 1, key: null, value: null },
    ]);
    expect((await ask('/metrics')).text).toContain('headwater_records_accepted_total{source="api"} 3');
  });

  test('a log that is unavailable answers 503, and the refusal is counted', async () => {
    log.available = false;
    const answer = await ask('/api/records', {
      method: 'POST',
      body: { topic: 'readings', records: [{ value: 'a' }] },
    });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'log-unavailable' } } });
    expect((await ask('/metrics')).text).toContain(
      'headwater_records_refused_total{reason="log-unavailable"} 1',
    );
  });

  test('an unknown topic is 404', async () => {
    const answer = await ask('/api/records', {
      method: 'POST',
      body: { topic: 'no', records: [{ value: 'a' }] },
    });
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'unknown-topic' } } });
  });

  test('bodies that are not what is asked for are refused, and nothing is stored', async () => {
    const tooMany = Array.from({ length: limits.adminRecordsPerRequestMax + 1 }, () => ({ value: 'a' }));
    for (const records of [
      undefined,
      [],
      [{}],
      [{ value: 5 }],
      [{ value: 'a', partition: -1 }],
      [{ valeu: 'a' }],
      tooMany,
    ]) {
      const answer = await ask('/api/records', { method: 'POST', body: { topic: 'readings', records } });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad-request' } } });
    }
    for (const payload of ['{', '', 'null', '{"__proto__":{"topic":"readings"}}']) {
      expect((await ask('/api/records', { method: 'POST', payload })).status).toBe(400);
    }
    expect(log.partitions().map(({ highWatermark }) => highWatermark)).toEqual([0, 0]);
  });

  test('a body above the limit is refused before it is read', async () => {
    const value = 'a'.repeat(limits.adminRequestBytesMax);
    const answer = await ask('/api/records', {
      method: 'POST',
      body: { topic: 'readings', records: [{ value }] },
    });
    expect(answer).toMatchObject({ status: 413 });
  });

  test('what a web form can send across origins is refused', async () => {
    const payload = JSON.stringify({ topic: 'readings', records: [{ value: 'a' }] });
    for (const contentType of ['text/plain', 'application/x-www-form-urlencoded']) {
      expect((await ask('/api/records', { method: 'POST', payload, contentType })).status).toBe(415);
    }
  });
});

describe('reading', () => {
  test('without a partition, all partitions come from the log start, each in order', async () => {
    await log.append([text('a'), text('b', 1), text('c'), text('d', 1), text('e', 1)]);
    log.moveLogStart('readings', 1, 1);
    const lines = await linesOf('/api/records?topic=readings');
    const valuesOf = (partition: number) =>
      lines.filter((line) => line['partition'] === partition).map(({ value }) => value);
    expect(valuesOf(0)).toEqual(['a', 'c']);
    expect(valuesOf(1)).toEqual(['d', 'e']);
  });

  test('bytes that are not UTF-8 come as base64, text as text, null as null', async () => {
    const key = Uint8Array.of(0xff, 0);
    const headers = [
      { name: 'mqtt.topic', value: Buffer.from('s/1') },
      { name: 'raw', value: Uint8Array.of(0xc3) },
    ];
    await log.append([
      { topic: 'readings', key, value: Buffer.from('\uFEFF"ü"\n'), timestampMs: 5, headers },
    ]);
    expect(await linesOf('/api/records?topic=readings')).toEqual([
      {
        topic: 'readings',
        partition: 0,
        offset: 0,
        timestampMs: 5,
        keyBase64: '/wA=',
        value: '\uFEFF"ü"\n',
        headers: [
          { name: 'mqtt.topic', value: 's/1' },
          { name: 'raw', valueBase64: 'ww==' },
        ],
      },
    ]);
  });

  test('an offset and a limit choose a stretch of a partition', async () => {
    await log.append(['a', 'b', 'c', 'd'].map((value) => text(value)));
    const lines = await linesOf('/api/records?topic=readings&partition=0&offset=1&limit=2');
    expect(lines.map(({ offset }) => offset)).toEqual([1, 2]);
    expect(await linesOf('/api/records?topic=readings&partition=0&offset=4')).toEqual([]);
  });

  test.each([
    ['topic=no', 404, 'unknown-topic'],
    ['topic=readings&partition=2', 400, 'illegal-partition'],
    ['topic=readings&partition=0&offset=1', 400, 'offset-out-of-range'],
    ['topic=readings&offset=0', 400, 'bad-request'],
    ['topic=readings&partition=0&offset=0&fromTimeMs=5', 400, 'bad-request'],
    ['topic=readings&fromTimeMs=yesterday', 400, 'bad-request'],
    ['topic=readings&limit=0', 400, 'bad-request'],
    ['topic=readings&partition=-1', 400, 'bad-request'],
    ['topic=readings&partition=0&offset=1e3', 400, 'bad-request'],
    ['topic=readings&follow=yes', 400, 'bad-request'],
    ['topic=readings&topic=other', 400, 'bad-request'],
    ['topic=readings&ofset=1', 400, 'bad-request'],
    ['', 400, 'bad-request'],
  ])('the question "%s" is answered %d %s', async (query, status, code) => {
    const answer = await ask(`/api/records?${query}`);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  test('a follower gets what is there, then what comes, also in partitions that are added', async () => {
    await log.append([text('a')]);
    const follower = await follow('topic=readings&follow=true');
    await vi.waitFor(() => expect(follower.values()).toEqual(['a']));
    await log.append([text('b', 1)]);
    await vi.waitFor(() => expect(follower.values()).toEqual(['a', 'b']));
    await log.growTopic('readings', 3);
    await log.append([text('c', 2)]);
    await vi.waitFor(() => expect(follower.values()).toEqual(['a', 'b', 'c']));
    follower.leave();
  });

  test('a time says where to start, also for a follower', async () => {
    await log.append([
      text('a'),
      { ...text('b'), timestampMs: 2_000 },
      { ...text('c', 1), timestampMs: 3_000 },
    ]);
    const valuesFrom = async (query: string) =>
      (await linesOf(`/api/records?topic=readings&${query}`)).map(({ value }) => value);
    expect(await valuesFrom('fromTimeMs=1001')).toEqual(['b', 'c']);
    expect(await valuesFrom('fromTimeMs=1001&partition=0')).toEqual(['b']);
    const follower = await follow('topic=readings&follow=true&fromTimeMs=2001');
    await vi.waitFor(() => expect(follower.values()).toEqual(['c']));
    await log.append([text('d')]);
    await vi.waitFor(() => expect(follower.values()).toEqual(['c', 'd']));
    follower.leave();
  });

  test('a follower of a quiet topic is answered at once, and nothing is left of it when it goes away', async () => {
    const follower = await follow('topic=readings&follow=true');
    expect(follower.status).toBe(200);
    await vi.waitFor(() => expect(log.listeners).toBe(1));
    follower.leave();
    await vi.waitFor(() => expect(log.listeners).toBe(0));
  });

  test('readers are bounded, and one that leaves makes room', async () => {
    const followers = [];
    for (let count = 0; count < limits.adminRecordStreamsMax; count++) {
      followers.push(await follow('topic=readings&follow=true'));
    }
    expect(await ask('/api/records?topic=readings')).toMatchObject({
      status: 429,
      body: { error: { code: 'too-many-readers' } },
    });
    followers[0]?.leave();
    await vi.waitFor(async () => expect((await ask('/api/records?topic=readings')).status).toBe(200));
    for (const follower of followers) follower.leave();
  });

  test('a client that does not read stops the reading of the log', async () => {
    const value = 'x'.repeat(100_000);
    for (let count = 0; count < 200; count++) await log.append([text(value)]);
    const socket = connect(server.address.port, '127.0.0.1');
    socket.write(
      `GET /api/records?topic=readings HTTP/1.1\r\nHost: 127.0.0.1:${server.address.port}\r\n` +
        `Authorization: Bearer ${token}\r\n\r\n`,
    );
    socket.pause();
    const reads = await settled(() => log.reads);
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThan(90);
    socket.destroy();
    await vi.waitFor(() => expect(log.listeners).toBe(0));
  });

  test('a read that fails breaks the stream off instead of ending it', async () => {
    await log.append([text('a')]);
    log.readError = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    await expect(ask('/api/records?topic=readings')).rejects.toThrow(/aborted|hang up/);
    log.readError = null;
    expect(await linesOf('/api/records?topic=readings')).toHaveLength(1);
  });

  test('a stop ends followers', async () => {
    const follower = await follow('topic=readings&follow=true');
    await server.stop();
    await vi.waitFor(() => expect(follower.ended()).toBe(true));
    expect(log.listeners).toBe(0);
  });
});

test('a port that is taken is an error that says what to do', async () => {
  const taken = AdminServer.start(options(server.address.port));
  await expect(taken).rejects.toMatchObject({ code: 'port-unusable' });
  await expect(taken).rejects.toThrow('admin.listen');
});

describe('users', () => {
  const pump = {
    name: 'pump',
    isImported: false,
    hasPassword: true,
    access: { publish: ['pumps/%u/#'] },
    clients: {},
  };

  test('are added, listed, changed and removed, and no answer holds a secret', async () => {
    const body = { name: 'pump', password: 'secret', access: { publish: ['pumps/%u/#'] } };
    const answers = [
      await ask('/api/users', { method: 'POST', body }),
      await ask('/api/users'),
      await ask('/api/users/pump', { method: 'PATCH', body: { access: { subscribe: [] }, clientId: 'a' } }),
      await ask('/api/users/pump', { method: 'PATCH', body: { password: 'another' } }),
      await ask('/api/users/pump', { method: 'DELETE' }),
      await ask('/api/users'),
    ];
    const changed = { ...pump, clients: { a: { subscribe: [] } } };
    expect(answers.map(({ status, body: answer }) => [status, answer])).toEqual([
      [201, pump],
      [200, { users: [pump] }],
      [200, changed],
      [200, changed],
      [200, changed],
      [200, { users: [] }],
    ]);
  });

  test('are refused with what to do instead', async () => {
    const post = async (body: object) => await ask('/api/users', { method: 'POST', body });
    await post({ name: 'pump', password: 'x' });
    const refused = [
      await post({ name: 'pump', password: 'x' }),
      await post({ name: 'a/b', password: 'x' }),
      await post({ name: 'b', password: '' }),
      await post({ name: 'b', password: 'x', access: { publish: ['a#'] } }),
      await post({ name: 'b', password: 'x', more: 1 }),
      await ask('/api/users/nobody', { method: 'DELETE' }),
      await ask('/api/users/nobody', { method: 'PATCH', body: { password: 'x' } }),
    ];
    expect(
      refused.map(({ status, body }) => [status, (body as { error: { code: string } }).error.code]),
    ).toEqual([
      [409, 'user-exists'],
      [400, 'illegal-user'],
      [400, 'illegal-user'],
      [400, 'illegal-user'],
      [400, 'bad-request'],
      [404, 'unknown-user'],
      [404, 'unknown-user'],
    ]);
  });

  test('of another broker are imported with their hashes, and those that are here stay', async () => {
    await ask('/api/users', { method: 'POST', body: { name: 'pump', password: 'x' } });
    const password = { scheme: 'pbkdf2-sha512', iterations: 101, salt: 'AAAA', hash: 'AAAA' };
    const body = {
      users: [
        { name: 'pump', password },
        { name: 'old', password },
      ],
    };
    expect((await ask('/api/users/import', { method: 'POST', body })).body).toEqual({
      added: ['old'],
      kept: ['pump'],
    });
    const costly = { users: [{ name: 'other', password: { ...password, iterations: 1e9 } }] };
    expect((await ask('/api/users/import', { method: 'POST', body: costly })).status).toBe(400);
  });
});

describe('POST /api/reload', () => {
  test('answers what counts now and what does not, or everything that is wrong', async () => {
    reload = () => Promise.resolve({ applied: ['log.level'], needsRestart: ['mqtt.listen'] });
    expect(await ask('/api/reload', { method: 'POST' })).toMatchObject({
      status: 200,
      body: { applied: ['log.level'], needsRestart: ['mqtt.listen'] },
    });
    reload = () => Promise.reject(new OperatingError('bad-configuration', 'a\nb'));
    expect(await ask('/api/reload', { method: 'POST' })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-configuration', message: 'a\nb' } },
    });
    expect(await ask('/api/reload', { method: 'POST', authorization: null })).toMatchObject({ status: 401 });
  });
});

interface Question {
  method?: string;
  body?: object;
  payload?: string;
  contentType?: string;
  host?: string;
  origin?: string;
  authorization?: string | null;
}

function options(port = 0): AdminServerOptions {
  return {
    ...door,
    listen: { host: '127.0.0.1', port },
    log,
    health: () => healthReport(log, stuckMs),
    topics: new TopicChanges({
      log,
      mapping: new TopicMapping({ gateway: 'g', topics: [] }),
      configured,
      writers: new Map([['readings', ['MQTT']]]),
    }),
    users,
    alerts: null,
    series: null,
    accepted: () => ({}),
    clients: () => [],
    serial: { watch: () => null },
    reload: () => reload(),
    status: () => Promise.resolve(statusExample),
    serviceLog: () => ({ lines: [], leftOut: 0 }),
    renderMetrics: () => metrics.render(),
    metricsContentType: metrics.contentType,
    clock: nodeClock,
    logger: silentLogger,
    metrics,
  };
}

const text = (value: string, partition = 0) => ({
  topic: 'readings',
  partition,
  key: null,
  value: Buffer.from(value),
  timestampMs: 1_000,
  headers: [],
});

function open(path: string, question: Question = {}) {
  const payload = question.payload ?? (question.body && JSON.stringify(question.body));
  const headers: Record<string, string> = {};
  if (question.authorization !== null) headers['authorization'] = question.authorization ?? `Bearer ${token}`;
  if (question.host !== undefined) headers['host'] = question.host;
  if (question.origin !== undefined) headers['origin'] = question.origin;
  if (payload !== undefined) headers['content-type'] = question.contentType ?? 'application/json';
  const { port } = server.address;
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path,
    method: question.method ?? 'GET',
    headers,
    agent: false,
  });
  outgoing.end(payload);
  return outgoing;
}

function ask(path: string, question: Question = {}) {
  return new Promise<{
    status: number;
    headers: NodeJS.Dict<string | string[]>;
    text: string;
    body: unknown;
  }>((resolve, reject) => {
    const outgoing = open(path, question);
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        received += piece;
      });
      response.on('error', reject);
      response.on('end', () => {
        const isJson = received !== '' && response.headers['content-type']?.startsWith('application/json');
        const body: unknown = isJson ? JSON.parse(received) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: received, body });
      });
    });
  });
}

async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  const answer = await ask(path);
  expect(answer.status).toBe(200);
  const lines = answer.text.split('\n').slice(0, -1);
  expect(lines.flatMap((line) => lineProblem('/api/records', line) ?? [])).toEqual([]);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function follow(query: string) {
  const outgoing = open(`/api/records?${query}`);
  let received = '';
  let ended = false;
  const status = await new Promise<number>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        received += piece;
      });
      response.on('end', () => {
        ended = true;
      });
      response.on('error', () => {});
      resolve(response.statusCode ?? 0);
    });
  });
  const linesSoFar = () => received.split('\n').slice(0, -1);
  return {
    status,
    ended: () => ended,
    values: () => linesSoFar().map((line) => (JSON.parse(line) as { value: string }).value),
    leave: () => outgoing.destroy(),
  };
}

/** The value once it has stopped changing. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  await vi.waitFor(
    () => {
      const now = read();
      const isSettled = now === before && now > 0;
      before = now;
      expect(isSettled).toBe(true);
    },
    { interval: 200, timeout: 10_000 },
  );
  return before;
}
