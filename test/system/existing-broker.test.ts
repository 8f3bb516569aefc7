import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { MosquittoBroker } from '../support/mosquitto-broker.ts';
import { isExactDevice, Qos2Fleet } from '../support/qos2-fleet.ts';
import { findWrongReadings } from '../support/reading-oracle.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

const DEVICES_PER_QOS = 5;
const READINGS_PER_DEVICE = 1_000;
const TOTAL = 2 * DEVICES_PER_QOS * READINGS_PER_DEVICE;
const KILLS = 6;
const POLL_MS = 5;
const LATER_MS_MAX = 40;
const ARRIVAL_MS_MAX = 30_000;

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + ARRIVAL_MS_MAX;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain: waited for ${what}`);
    await nodeClock.sleep(POLL_MS);
  }
}

async function sourceOf(gateway: RunningGateway) {
  const [source] = ((await (await gateway.api('/api/status')).json()) as StatusReport).sources;
  if (source === undefined) throw new Error('the gateway has a source');
  return source;
}

interface Stored {
  readonly key: string;
  readonly value: string;
}

async function stored(gateway: RunningGateway): Promise<Stored[]> {
  const text = await (await gateway.api('/api/records?topic=readings&partition=0&offset=0')).text();
  return text.trimEnd() === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

const valuesOf = async (gateway: RunningGateway): Promise<string[]> =>
  (await stored(gateway)).map(({ value }) => value);

const subscribedTo = (broker: MosquittoBroker, more = ''): string =>
  `mqtt.sources=[{ name: plant, url: 'mqtt://${broker.address}', topics: ['sensors/#', last]${more} }]`;

const isConnected = async (gateway: RunningGateway): Promise<boolean> =>
  (await sourceOf(gateway)).state === 'connected';

/** Devices that send to Mosquitto, a gateway that reads there, and a strike of the test between random acknowledgements. */
async function throughStrikes(
  start: (broker: MosquittoBroker) => Promise<RunningGateway>,
  strike: (gateway: RunningGateway, broker: MosquittoBroker) => Promise<RunningGateway>,
  folder: string,
) {
  await using broker = await MosquittoBroker.start(folder);
  let gateway = await start(broker);
  const { pid } = gateway;
  const fleet = { devices: DEVICES_PER_QOS, readingsPerDevice: READINGS_PER_DEVICE, mqtt: broker.address };
  const sensors = new SensorFleet({ ...fleet, window: 10 });
  const exact = new Qos2Fleet({ ...fleet, window: 10 });
  try {
    await until(() => isConnected(gateway), 'the subscription');
    const acknowledged = (): number => sensors.acknowledged.length + exact.acknowledged.length;
    const sending = Promise.all([sensors.run(), exact.run()]);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const share = TOTAL / (KILLS + 1);
      const moment = (kill - 1) * share + Math.random() * share;
      while (acknowledged() < moment) await nodeClock.sleep(POLL_MS);
      await nodeClock.sleep(Math.random() * LATER_MS_MAX);
      gateway = await strike(gateway, broker);
    }
    await sending;
    const port = String(broker.port);
    const last = await runProgram('mosquitto_pub', ['-p', port, '-t', 'last', '-q', '2', '-m', 'last']);
    expect(last.code).toBe(0);
    await until(async () => (await valuesOf(gateway)).includes('last'), 'the last message');
    // Mosquitto keeps the order of one client only: what it had queued may still come.
    await until(async () => (await sourceOf(gateway)).unanswered === 0, 'all answers');
    const all = [...sensors.acknowledged, ...exact.acknowledged];
    const values = (await valuesOf(gateway)).filter((value) => value !== 'last');
    return { all, values, isSameProcess: gateway.pid === pid, source: await sourceOf(gateway) };
  } finally {
    sensors.stop();
    exact.stop();
    await gateway.kill('SIGKILL');
  }
}

test('nothing that Mosquitto acknowledged is lost over SIGKILLs of the gateway, and QoS 2 is there once', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const start = (broker: MosquittoBroker) => startGateway({ dataDir, set: [subscribedTo(broker)] });
  const restart = async (gateway: RunningGateway, broker: MosquittoBroker) => {
    await gateway.kill('SIGKILL');
    return await start(broker);
  };
  const { all, values } = await throughStrikes(start, restart, folder.path);
  expect(all).toHaveLength(TOTAL);
  expect(findWrongReadings(all, values, { isExact: isExactDevice })).toEqual([]);
});

test('the same over restarts of Mosquitto, which saves its sessions when it is told to end', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const start = (broker: MosquittoBroker) => startGateway({ dataDir, set: [subscribedTo(broker)] });
  const restart = async (gateway: RunningGateway, broker: MosquittoBroker) => {
    await broker.kill('SIGTERM');
    await broker.restart();
    return gateway;
  };
  const { all, values, isSameProcess, source } = await throughStrikes(start, restart, folder.path);
  expect(all).toHaveLength(TOTAL);
  expect(findWrongReadings(all, values, { isExact: isExactDevice })).toEqual([]);
  expect(isSameProcess).toBe(true);
  expect(source).toMatchObject({ sessionsLost: 0, deadLetters: 0, state: 'connected' });
});

test('over SIGKILLs of Mosquitto, which then forgets what it had not saved, the gateway goes on', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const start = (broker: MosquittoBroker) => startGateway({ dataDir, set: [subscribedTo(broker)] });
  const restart = async (gateway: RunningGateway, broker: MosquittoBroker) => {
    await broker.kill('SIGKILL');
    await broker.restart();
    return gateway;
  };
  const { all, values, isSameProcess } = await throughStrikes(start, restart, folder.path);
  expect(isSameProcess).toBe(true);
  // What was in Mosquitto's memory is lost with it: up to what came since its last save, a second ago at most.
  const lost = new Set(all.map((reading) => JSON.stringify(reading))).difference(new Set(values));
  expect(lost.size).toBeLessThan(TOTAL / 2);
});

test('it gets in by TLS and a login, and says what is wrong until it can', async () => {
  await using folder = await temporaryFolder();
  const authority = certificateAuthority('plant CA');
  const { certificate, key } = authority.issue({ name: 'broker', hosts: ['127.0.0.1'] });
  const path = (name: string): string => join(folder.path, name);
  await writeFile(path('ca.pem'), authority.certificate);
  await writeFile(path('broker.pem'), certificate);
  await writeFile(path('broker.key'), key);
  await runProgram('mosquitto_passwd', ['-b', '-c', path('users'), 'gw1', 'geheim']);
  await writeFile(path('password'), 'falsch\n');
  await chmod(path('password'), 0o600);
  await using broker = await MosquittoBroker.start(folder.path, [
    `certfile ${path('broker.pem')}`,
    `keyfile ${path('broker.key')}`,
    `password_file ${path('users')}`,
    'allow_anonymous false',
  ]);
  const login = `username: gw1, passwordFile: '${path('password')}', tls: { caFile: '${path('ca.pem')}' }`;
  const source = `{ name: plant, url: 'mqtts://${broker.address}', topics: ['sensors/#'], ${login} }`;
  await using gateway = await startGateway({ dataDir: path('data'), set: [`mqtt.sources=[${source}]`] });
  const told = async (words: string): Promise<boolean> =>
    (await sourceOf(gateway)).lastError?.message.includes(words) ?? false;
  await until(() => told('correct username'), 'the refusal');
  await writeFile(path('password'), 'geheim\n');
  await until(() => isConnected(gateway), 'the subscription');
  const access = ['--cafile', path('ca.pem'), '-u', 'gw1', '-P', 'geheim', '-h', '127.0.0.1'];
  for (const qos of ['0', '1', '2']) {
    const args = [
      ...access,
      '-p',
      String(broker.port),
      '-t',
      `sensors/${qos}`,
      '-q',
      qos,
      '-m',
      `with ${qos}`,
    ];
    expect((await runProgram('mosquitto_pub', args)).code).toBe(0);
  }
  await until(async () => (await stored(gateway)).length === 3, 'the records');
  expect((await stored(gateway)).map(({ key: topic, value }) => [topic, value]).sort()).toEqual([
    ['sensors/0', 'with 0'],
    ['sensors/1', 'with 1'],
    ['sensors/2', 'with 2'],
  ]);
  expect(gateway.stdout() + gateway.stderr()).not.toContain('geheim');
});

test('what comes while the gateway is away arrives when it is back, and retained messages come once', async () => {
  await using folder = await temporaryFolder();
  await using broker = await MosquittoBroker.start(folder.path);
  const port = String(broker.port);
  const publish = async (...args: string[]): Promise<void> => {
    expect((await runProgram('mosquitto_pub', ['-p', port, '-q', '1', ...args])).code).toBe(0);
  };
  await publish('-t', 'sensors/kept', '-r', '-m', 'retained');
  const options = { dataDir: join(folder.path, 'data'), set: [subscribedTo(broker)] };
  {
    await using gateway = await startGateway(options);
    await until(async () => (await valuesOf(gateway)).length === 1, 'the retained message');
    await gateway.kill('SIGTERM');
  }
  await publish('-t', 'sensors/1', '-m', 'while it was away');
  await using gateway = await startGateway(options);
  await until(async () => (await valuesOf(gateway)).length > 1, 'what was queued');
  await publish('-t', 'sensors/1', '-m', 'live');
  await until(async () => (await valuesOf(gateway)).includes('live'), 'what is sent now');
  expect(await valuesOf(gateway)).toEqual(['retained', 'while it was away', 'live']);
});
