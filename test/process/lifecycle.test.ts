import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { session } from '../edge/cli/fake-gateway.ts';
import {
  clockIsTold,
  type RunningGateway,
  spawnGateway,
  startGateway,
  within,
} from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('starting', () => {
  test('without any configuration, in an empty folder', async () => {
    await using folder = await temporaryFolder();
    await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
    await expect.poll(gateway.stdout).toContain('storing; no cluster is configured: set forwarder.brokers');
    expect(gateway.stdout()).toContain(`MQTT   ${gateway.mqtt}`);
    const ready = await fetch(`http://${gateway.admin}/readyz`);
    expect(await ready.json()).toEqual({ ready: true, reasons: [] });
    const status = (await (await gateway.api('/api/status')).json()) as StatusReport;
    expect(status).toMatchObject({ state: 'ready', reasons: [], dataDir: gateway.dataDir, forwarder: null });
    const { mqtt, admin } = gateway;
    expect(status.addresses).toEqual({ mqtt, mqtts: null, ws: null, wss: null, admin });
    expect(status.clock.isSet).toEqual(expect.any(Boolean));
    await clockIsTold(gateway);
    const { topics } = (await (await gateway.api('/api/topics')).json()) as Pick<StatusReport, 'topics'>;
    expect(topics.map(({ name }) => name).sort()).toEqual(['anomalies', 'clock', 'readings']);
    const metrics = await (await gateway.api('/metrics')).text();
    expect(metrics).toContain('headwater_log_available 1');
    expect(metrics).toMatch(/^headwater_build_info\{version="[\d.]+",node="v26[\d.]+"\} 1$/m);
    expect(metrics).toMatch(/^headwater_memory_bytes\{kind="resident"\} [1-9]\d{7,}$/m);
    expect(metrics).toMatch(/^headwater_data_free_bytes [1-9]/m);
    expect(metrics).toContain('headwater_high_watermark{topic="readings",partition="0"} 0');
  });

  test('with a cluster that cannot be reached it is ready all the same, and says so', async () => {
    await using folder = await temporaryFolder();
    const set = ['forwarder.brokers=[127.0.0.1:1]'];
    await using gateway = await startGateway({ dataDir: join(folder.path, 'data'), set });
    await expect.poll(gateway.stdout).toContain('mirroring to 127.0.0.1:1');
    await clockIsTold(gateway);
    await gateway.api('/api/records', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: 'readings', records: [{ value: 'a' }] }),
    });
    expect((await fetch(`http://${gateway.admin}/readyz`)).status).toBe(200);
    const status = (await (await gateway.api('/api/status')).json()) as StatusReport;
    expect(status).toMatchObject({ state: 'ready', forwarder: { lagRecords: 2, lastAcknowledgedMs: null } });
    const shown = async (): Promise<string> =>
      (await session(['status', '--set', `data.dir=${gateway.dataDir}`])).output;
    await expect.poll(shown).toMatch(/\n {11}retries since the start: \d+ unreachable \(refused\)\n/);
    const text = await shown();
    expect(text).toMatch(
      /\n {2}cluster {2}no broker can be reached.*; nothing acknowledged in this run yet\n/,
    );
    expect(text).toMatch(
      /\n {11}2 records, about \d+ B, the oldest for \d+ s waiting; when they are gone is not known while nothing is acknowledged\n/,
    );
    expect(text).toMatch(/\n {11}since the start, .* ago: 0 B acknowledged, 0 B sent over the link\n/);
    const metrics = await (await gateway.api('/metrics')).text();
    expect(metrics).toContain('headwater_forwarder_lag_records{topic="readings"} 1');
    expect(metrics).toMatch(/headwater_forwarder_lag_bytes\{topic="readings"\} [1-9]/);
    expect(metrics).toMatch(/headwater_forwarder_retries_total\{kind="unreachable",cause="refused"\} [1-9]/);
    expect(metrics).toMatch(/^headwater_forwarder_drain_seconds NaN$/im);
    expect(await gateway.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('creates configured topics, grows them, and never shrinks them', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const partitionsWith = async (partitions: number): Promise<number | undefined> => {
      await using gateway = await startGateway({
        dataDir,
        set: [`topics={temperature: {partitions: ${partitions}}}`],
      });
      const { topics } = (await (await gateway.api('/api/topics')).json()) as Pick<StatusReport, 'topics'>;
      expect((await gateway.kill('SIGTERM')).code).toBe(0);
      expect(gateway.stderr().includes('partitions only grow')).toBe(partitions === 1);
      return topics.find(({ name }) => name === 'temperature')?.partitions.length;
    };
    expect(await partitionsWith(2)).toBe(2);
    expect(await partitionsWith(3)).toBe(3);
    expect(await partitionsWith(1)).toBe(3);
  });

  test('is refused while another instance works on the data folder, which is named with its process', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    await using first = await startGateway({ dataDir });
    await using second = spawnGateway({ dataDir });
    expect(await within(20_000, second.exited)).toEqual({ code: 2, signal: null });
    expect(second.stderr()).toMatch(new RegExp(`another gateway \\(process ${first.pid}\\).*data\\.dir`));
    expect((await fetch(`http://${first.admin}/readyz`)).status).toBe(200);
    expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await using third = await startGateway({ dataDir });
    expect(third.pid).not.toBe(first.pid);
  });

  test.each(['mqtt', 'admin'])(
    'is refused while the port for %s is taken, and lets go of the data folder',
    async (part) => {
      await using folder = await temporaryFolder();
      const dataDir = join(folder.path, 'data');
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = taken.address() as AddressInfo;
        await using refused = spawnGateway({ dataDir, set: [`${part}.listen=127.0.0.1:${port}`] });
        expect(await within(20_000, refused.exited)).toEqual({ code: 2, signal: null });
        expect(refused.stderr()).toContain(String(port));
        expect(refused.stderr()).toContain(`${part}.listen`);
        expect(refused.stderr()).not.toContain('    at ');
      } finally {
        taken.close();
      }
      await using gateway = await startGateway({ dataDir });
      expect(gateway.mqtt).toMatch(/^127\.0\.0\.1:\d+$/);
    },
  );

  test('is refused if a file is in place of the data folder, which stays untouched', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    await writeFile(dataDir, 'precious');
    await using refused = spawnGateway({ dataDir });
    expect(await within(20_000, refused.exited)).toEqual({ code: 2, signal: null });
    expect(refused.stderr()).toMatch(/cannot use .*data as the data folder.*Set data\.dir/s);
    expect(await readFile(dataDir, 'utf8')).toBe('precious');
  });

  test('takes a relative data folder from the working directory', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'here'));
    await using run = spawnGateway({ dataDir: './data', workingDirectory: join(folder.path, 'here') });
    await expect.poll(() => run.stdout(), { timeout: 20_000 }).toContain(join(folder.path, 'here', 'data'));
    await access(join(folder.path, 'here', 'data', 'admin.token'));
  });
});

describe('stopping', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends it cleanly, with clients and followers connected',
    async (signal) => {
      await using folder = await temporaryFolder();
      await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
      const client = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
      client.on('error', () => {});
      await client.publishAsync('sensors/1', 'last', { qos: 1 });
      const follower = await gateway.api('/api/records?topic=readings&follow=true');
      const lines = follower.text();
      const startMs = performance.now();
      expect(await gateway.kill(signal)).toEqual({ code: 0, signal: null });
      expect(performance.now() - startMs).toBeLessThan(8_000);
      expect(await lines).toContain('"value":"last"');
      await client.endAsync(true);
      expect(await readdir(gateway.dataDir)).not.toContain('gateway.json');
      expect(gateway.stderr()).not.toMatch(/"level":"(warn|error)"/);
    },
  );
});

test('a QoS 1 message that was acknowledged is there after SIGKILL and a restart, once', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await using first = await startGateway({ dataDir });
  const client = await connectAsync(`mqtt://${first.mqtt}`, { reconnectPeriod: 0 });
  client.on('error', () => {});
  const values = Array.from({ length: 200 }, (_, index) => `21.${index}`);
  await Promise.all(values.map((value) => client.publishAsync('sensors/1/temperature', value, { qos: 1 })));
  expect(await first.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  await client.endAsync(true);

  await using second = await startGateway({ dataDir });
  const text = await (await second.api('/api/records?topic=readings')).text();
  const records = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records.map((record) => record['value'])).toEqual(values);
  expect(records.map((record) => record['offset'])).toEqual(values.map((_, index) => index));
  expect(records[0]).toMatchObject({
    topic: 'readings',
    partition: 0,
    key: 'sensors/1/temperature',
    headers: [],
  });
  const body = JSON.stringify({ topic: 'readings', records: [{ value: 'next' }] });
  const headers = { 'content-type': 'application/json' };
  const appended = await second.api('/api/records', { method: 'POST', body, headers });
  expect(await appended.json()).toEqual({ records: [{ partition: 0, offset: values.length }] });
});

test('what the card was given is counted over restarts, the last one by SIGKILL', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const set = ['data.endurance=1TB'];
  const value = 'x'.repeat(1000);
  const body = JSON.stringify({ topic: 'readings', records: [{ key: 'air', value }] });
  const headers = { 'content-type': 'application/json' };
  const cardOf = async (gateway: RunningGateway) =>
    ((await (await gateway.api('/api/status')).json()) as StatusReport).card;

  await using first = await startGateway({ dataDir, set });
  await clockIsTold(first);
  const { payloadBytes: clockBytes } = await cardOf(first);
  await first.api('/api/records', { method: 'POST', body, headers });
  const counted = await cardOf(first);
  const payloadBytes = clockBytes + 1003;
  expect(counted).toMatchObject({ payloadBytes, endurance: { bytes: 1e12, isEstimate: false } });
  expect(counted.deviceBytes.journal).toBeGreaterThan(16 * 1024 * 1024);
  expect(counted.deviceBytes.journal % 4096).toBe(0);
  const metrics = await (await first.api('/metrics')).text();
  expect(metrics).toContain(`headwater_payload_bytes_total ${payloadBytes}\n`);
  expect(metrics).toMatch(/headwater_device_bytes_written_total\{kind="journal"\} \d{8}/);
  expect(metrics).toMatch(/headwater_card_endurance_used_ratio 0\.0000\d+\n/);
  expect((await first.kill('SIGTERM')).code).toBe(0);

  await using second = await startGateway({ dataDir, set });
  await second.api('/api/records', { method: 'POST', body, headers });
  const after = await cardOf(second);
  expect(after.payloadBytes).toBe(payloadBytes + 1003);
  expect(after.deviceBytes.journal).toBeGreaterThan(counted.deviceBytes.journal);
  // `budget.json`, `card.json`, and what detectors know: nothing yet.
  expect(after.deviceBytes.other).toBe(3 * 4096);
  await second.kill('SIGKILL');

  await using third = await startGateway({ dataDir, set });
  expect((await cardOf(third)).payloadBytes).toBe(payloadBytes);
  await third.kill('SIGTERM');
  await writeFile(join(dataDir, 'card.json'), '{"version":1,"payl');
  await using fourth = await startGateway({ dataDir, set });
  expect((await cardOf(fourth)).payloadBytes).toBe(0);
  expect(fourth.stderr()).toContain('card.json cannot be used');
});

test('what the thread that seals writes counts as given for segments', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const body = JSON.stringify({ topic: 'readings', records: [{ value: 'x'.repeat(1000) }] });
  const headers = { 'content-type': 'application/json' };
  // Each start begins a file of the journal, with the last commit of the one before: so both of these have a commit of
  // their own that is sealed once there is a third.
  for (let run = 0; run < 2; run += 1) {
    await using gateway = await startGateway({ dataDir });
    await clockIsTold(gateway);
    for (let commit = 0; commit < 2; commit += 1)
      expect((await gateway.api('/api/records', { method: 'POST', body, headers })).status).toBe(200);
    expect((await gateway.kill('SIGTERM')).code).toBe(0);
  }
  await using gateway = await startGateway({ dataDir });
  const segments = async () => {
    const { card } = (await (await gateway.api('/api/status')).json()) as StatusReport;
    return card.deviceBytes.segments;
  };
  await expect.poll(segments, { timeout: 20_000 }).toBeGreaterThan(0);
  const names = await readdir(join(dataDir, 'topics'), { recursive: true });
  const files = names.filter((name) => name.endsWith('.log'));
  expect(files).toHaveLength(2);
  expect(await segments()).toBe(8192);
  const metrics = await (await gateway.api('/metrics')).text();
  expect(metrics).toContain('headwater_device_bytes_written_total{kind="segments"} 8192\n');
  expect((await gateway.kill('SIGTERM')).code).toBe(0);
  const kept = JSON.parse(await readFile(join(dataDir, 'card.json'), 'utf8'));
  expect(kept).toMatchObject({ deviceBytes: { segments: 8192 } });
});
