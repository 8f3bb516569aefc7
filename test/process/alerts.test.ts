import { join } from 'node:path';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { session } from '../edge/cli/fake-gateway.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const timeout = 20_000;

const anomalyOf = async (gateway: RunningGateway): Promise<StatusReport['anomaly']> =>
  ((await (await gateway.api('/api/status')).json()) as StatusReport).anomaly;

test('a reading that stands for a fault is an alert on MQTT, in the log and on the command line, also after a SIGKILL', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const headwater = (...words: string[]) => session([...words, '--set', `data.dir=${dataDir}`]);
  await using gateway = await startGateway({ dataDir });
  const client = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
  try {
    const told = new Map<string, string>();
    client.on('message', (topic, payload) => told.set(topic, `${payload}`));
    await client.subscribeAsync('$headwater/alerts/sentinel/#');
    for (let count = 0; count < 50; count += 1)
      await client.publishAsync('sensors/kitchen', `{"temperature":${20 + (count % 7) / 10}}`, { qos: 1 });
    await client.publishAsync('sensors/kitchen', '{"temperature":-127}', { qos: 1 });
    const topic = '$headwater/alerts/sentinel/readings/sensors%2Fkitchen/temperature';
    await expect.poll(() => told.has(topic), { timeout }).toBe(true);
    expect(JSON.parse(told.get(topic) ?? '')).toMatchObject({
      kind: 'sentinel',
      value: -127,
      state: 'active',
    });
  } finally {
    client.end(true);
  }
  const { output } = await headwater('alerts', 'list');
  expect(output).toMatch(/^[0-9a-f]{8} +\d+ {2}readings:sensors\/kitchen:temperature .*-127/m);
  const id = output.slice(0, 8);
  expect(await headwater('alerts', 'ack', id, '--by', 'Ada')).toMatchObject({ code: 0 });
  const metrics = await (await gateway.api('/metrics')).text();
  expect(metrics).toContain('headwater_alerts_raised_total{kind="sentinel"} 1\n');
  await gateway.kill('SIGKILL');
  await using again = await startGateway({ dataDir });
  await expect.poll(async () => (await anomalyOf(again))?.lagRecords, { timeout }).toBe(0);
  const listed = await headwater('alerts', 'list', '--json');
  expect(listed.output).toContain('"acknowledgedBy":"Ada"');
  const records = await (await again.api('/api/records?topic=anomalies&partition=0&offset=0')).text();
  const events = records
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(JSON.parse(line).value));
  expect(events.filter(({ kind }) => kind === 'sentinel').map(({ event }) => event)).toEqual([
    'raised',
    'acknowledged',
  ]);
  expect((await headwater('status')).output).toMatch(/^ {2}alerts {3}1 (?:high|urgent)/m);
});

test('with anomaly.enabled off nothing is looked at, and the command line says so', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await using gateway = await startGateway({ dataDir, set: ['anomaly.enabled=false'] });
  expect(await anomalyOf(gateway)).toBeNull();
  expect(await session(['alerts', 'list', '--set', `data.dir=${dataDir}`])).toMatchObject({
    code: 1,
    errors: expect.stringContaining('anomaly.enabled is false'),
  });
});
