import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { MosquittoBroker } from '../support/mosquitto-broker.ts';
import { MqttWitness } from '../support/mqtt-witness.ts';
import { isExactDevice, Qos2Fleet } from '../support/qos2-fleet.ts';
import { findWrongReadings } from '../support/reading-oracle.ts';
import { readingOf, SensorFleet } from '../support/sensor-fleet.ts';
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
  const [source] = ((await (await gateway.api('/api/status')).json()) as StatusReport).mqtt.sources;
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

const subscribedTo = ({ address }: { readonly address: string }): string =>
  `mqtt.sources=[{ name: plant, url: 'mqtt://${address}', topics: ['sensors/#', last] }]`;

const isConnected = async (gateway: RunningGateway): Promise<boolean> =>
  (await sourceOf(gateway)).state === 'connected';

/** Whether the readings of each device are in their order. */
function isInOrder(payloads: readonly string[]): boolean {
  const next = new Map<string, number>();
  return payloads.every((payload) => {
    if (!payload.startsWith('{')) return true;
    const { device, sequence } = readingOf(payload);
    const isNext = sequence >= (next.get(device) ?? 0);
    next.set(device, sequence + 1);
    return isNext;
  });
}

interface Parties {
  gateway: RunningGateway;
  readonly broker: MosquittoBroker;
  readonly start: () => Promise<RunningGateway>;
}

/** Devices send to Mosquitto, the gateway reads there, and something strikes at random moments; then what came of it. */
async function throughStrikes(strike: (parties: Parties) => Promise<void>) {
  await using folder = await temporaryFolder();
  await using broker = await MosquittoBroker.start(folder.path);
  await using witness = await MqttWitness.start(broker.port);
  const start = () => startGateway({ dataDir: join(folder.path, 'data'), set: [subscribedTo(witness)] });
  const parties: Parties = { gateway: await start(), broker, start };
  const { pid } = parties.gateway;
  const fleet = { devices: DEVICES_PER_QOS, readingsPerDevice: READINGS_PER_DEVICE, mqtt: broker.address };
  const sensors = new SensorFleet({ ...fleet, window: 10 });
  const exact = new Qos2Fleet({ ...fleet, window: 10 });
  try {
    await until(() => isConnected(parties.gateway), 'the subscription');
    const acknowledged = () => [...sensors.acknowledged, ...exact.acknowledged];
    const sending = Promise.all([sensors.run(), exact.run()]);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const share = TOTAL / (KILLS + 1);
      const moment = (kill - 1) * share + Math.random() * share;
      while (acknowledged().length < moment) await nodeClock.sleep(POLL_MS);
      await nodeClock.sleep(Math.random() * LATER_MS_MAX);
      await strike(parties);
    }
    await sending;
    const { gateway } = parties;
    await until(() => isConnected(gateway), 'the subscription');
    const args = ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'last', '-q', '2', '-m', 'last'];
    expect((await runProgram('mosquitto_pub', args)).code).toBe(0);
    await until(async () => (await valuesOf(gateway)).includes('last'), 'the last message');
    await until(async () => (await sourceOf(gateway)).unanswered === 0, 'all answers');
    const values = await valuesOf(gateway);
    // Whoever else loses or doubles something: what the gateway has acknowledged is there.
    expect(witness.acknowledged.difference(new Set(values))).toEqual(new Set());
    expect(witness.acknowledged.size).toBeGreaterThan(1);
    return {
      wrong: findWrongReadings(
        acknowledged(),
        values.filter((value) => value !== 'last'),
        { isExact: isExactDevice },
      ),
      values,
      publishedAfterRelease: witness.publishedAfterRelease,
      isSentInOrder: witness.published.every(isInOrder),
      isSameProcess: gateway.pid === pid,
      source: await sourceOf(gateway),
    };
  } finally {
    sensors.stop();
    exact.stop();
    await parties.gateway.kill('SIGKILL');
  }
}

test('nothing that Mosquitto acknowledged is lost over SIGKILLs of the gateway, and QoS 2 is there once', async () => {
  const { wrong, isSentInOrder } = await throughStrikes(async (parties) => {
    await parties.gateway.kill('SIGKILL');
    parties.gateway = await parties.start();
  });
  // Mosquitto 2.0 sends what it had in flight out of its order now and then.
  expect(wrong.filter(({ kind }) => kind !== 'reordered' || isSentInOrder)).toEqual([]);
});

test('the same over restarts of Mosquitto, but for what it sends again after it has released it', async () => {
  const { wrong, values, publishedAfterRelease, isSameProcess, source } = await throughStrikes(
    async ({ broker }) => {
      await broker.kill('SIGTERM');
      await broker.restart();
    },
  );
  expect(isSameProcess).toBe(true);
  expect(source).toMatchObject({ sessionsLost: 0, deadLetters: 0, state: 'connected' });
  // Mosquitto 2.0 does not keep the order of what waits over a restart.
  expect(wrong.filter(({ kind }) => kind === 'lost')).toEqual([]);
  const exact = values.filter((value) => value.startsWith('{') && isExactDevice(readingOf(value).device));
  const doubled = exact.filter((value, index) => exact.indexOf(value) !== index);
  expect(new Set(doubled).difference(publishedAfterRelease)).toEqual(new Set());
});

test('over SIGKILLs of Mosquitto, which then forgets what it had not saved, the gateway goes on', async () => {
  const { isSameProcess, source } = await throughStrikes(async ({ broker }) => {
    await broker.kill('SIGKILL');
    await broker.restart();
  });
  expect(isSameProcess).toBe(true);
  expect(source).toMatchObject({ deadLetters: 0, state: 'connected' });
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
