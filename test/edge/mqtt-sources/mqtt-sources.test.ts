import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import { greeting } from '../../../src/edge/greeting.ts';
import { MqttSources } from '../../../src/edge/mqtt-sources/mqtt-sources.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { CountingMetrics, HeldLog, KeepingLogger, noQos2Log, until } from '../../ingest/mqtt/harness.ts';
import { publish } from '../../ingest/mqtt/packets.ts';
import { FakeBroker } from '../../ingest/mqtt-source/fake-broker.ts';
import { certificateAuthority } from '../../support/certificates.ts';
import { textRecord } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const authority = certificateAuthority('test CA');

const issued = (hosts: readonly string[] = ['127.0.0.1']): TlsOptions => {
  const { certificate, key } = authority.issue({ name: 'broker', hosts });
  return { cert: certificate, key };
};

function configOf(source: string) {
  const file = { name: 'hw.yaml', text: `mqtt: { sources: [{ name: plant, topics: [t], ${source} }] }` };
  const result = readConfig({ file, sets: [], workingDirectory: '/', hostName: 'gw1' });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config;
}

/** The sources of a configuration of one, named plant, which end with the test. */
async function started(source: string, environment: Record<string, string> = {}) {
  const log = new HeldLog();
  const metrics = new CountingMetrics();
  const logger = new KeepingLogger();
  const sources = await MqttSources.start({
    sources: configOf(source).mqtt.sources,
    gateway: 'gw1',
    disk: new SimDisk(new SimRandom(1)).session(),
    recordOf: (_, payload) => textRecord('readings', Buffer.from(payload).toString()),
    accept: log.accept,
    qos2: noQos2Log,
    clock: nodeClock,
    random: new SimRandom(1),
    environment,
    logger,
    metrics,
  });
  const one = () => {
    const [status] = sources.status();
    if (status === undefined) throw new Error('there is one source');
    return status;
  };
  return { sources, one, log, metrics, logger, [Symbol.asyncDispose]: () => sources.stop() };
}

test('without brokers nothing is started', async () => {
  const options = { sources: [], gateway: 'gw1' } as unknown as Parameters<typeof MqttSources.start>[0];
  const sources = await MqttSources.start(options);
  expect(sources.status()).toEqual([]);
  await sources.stop();
});

test('the greeting names each broker', () => {
  const config = configOf("url: 'mqtt://broker'");
  const addresses = { mqtt: 'a:1', mqtts: null, ws: null, wss: null, admin: 'b:2' };
  expect(
    greeting({ config, addresses, dataDir: '/data', certificates: null, claimCode: null, adminTls: null }),
  ).toContain('broker plant: mqtt://broker:1883, t');
});

test('it logs in by TLS with what files and environment say, and takes messages', async () => {
  await using folder = await temporaryFolder();
  await using broker = await FakeBroker.start(issued());
  const caFile = join(folder.path, 'ca.pem');
  await writeFile(caFile, authority.certificate);
  const login = 'username: gw1, passwordEnv: PLANT_PASSWORD';
  const url = `url: 'mqtts://127.0.0.1:${broker.port}'`;
  await using own = await started(`${url}, ${login}, tls: { caFile: '${caFile}' }`, {
    PLANT_PASSWORD: 'geheim',
  });
  const session = await broker.session(1);
  await until(() => own.one().state === 'connected', 'the subscription');
  const sent = session.received[0]?.bytes.toString() ?? '';
  for (const part of ['headwater-gw1-plant', 'gw1', 'geheim']) expect(sent).toContain(part);
  own.log.isHolding = true;
  session.send(publish('t', '21.5', { qos: 1, id: 1 }));
  await until(() => own.log.offers.length === 1, 'the message');
  own.sources.report();
  expect(own.metrics.value('headwater_mqtt_source_unanswered', { source: 'plant' })).toBe(1);
  own.log.letGo();
  await until(() => session.ids(4).length === 1, 'PUBACK');
  expect([...own.sources.warnings, JSON.stringify(own.one()), ...own.logger.lines].join()).not.toContain(
    'geheim',
  );
});

test('a password is read anew for each connection', async () => {
  await using folder = await temporaryFolder();
  await using broker = await FakeBroker.start();
  const passwordFile = join(folder.path, 'password');
  await writeFile(passwordFile, 'old\n');
  broker.behaviour = { returnCode: 4 };
  await using own = await started(
    `url: 'mqtt://127.0.0.1:${broker.port}', username: gw1, passwordFile: '${passwordFile}'`,
  );
  await broker.session(1);
  await writeFile(passwordFile, 'renewed\n');
  broker.behaviour = {};
  await until(() => own.one().state === 'connected', 'the subscription');
  expect(broker.sessions.at(-1)?.received[0]?.bytes.toString()).toMatch(/renewed$/);
});

test.each([
  [
    'of an unknown CA',
    ['127.0.0.1'],
    '',
    'put the certificate of its CA in a file and name it in mqtt.sources.plant.tls.caFile',
  ],
  [
    'of another host',
    ['other'],
    'ca',
    'use such a name in mqtt.sources.plant.url, or set mqtt.sources.plant.tls.serverName',
  ],
])('a certificate %s is told with what to do', async (_, hosts, given, words) => {
  await using folder = await temporaryFolder();
  await using broker = await FakeBroker.start(issued(hosts));
  const caFile = join(folder.path, 'ca.pem');
  await writeFile(caFile, authority.certificate);
  const tls = given === '' ? '' : `, tls: { caFile: '${caFile}' }`;
  await using own = await started(`url: 'mqtts://127.0.0.1:${broker.port}'${tls}`);
  await until(() => own.one().lastError !== null, 'the error');
  expect(own.one().lastError?.message).toContain(words);
  expect(own.metrics.value('headwater_mqtt_source_reconnects_total', { source: 'plant', cause: 'tls' })).toBe(
    1,
  );
});

test('TLS where there is none, and none where it is wanted, is told', async () => {
  await using plain = await FakeBroker.start();
  await using own = await started(`url: 'mqtts://127.0.0.1:${plain.port}'`);
  // A broker that does not understand closes, or says what is not TLS.
  await plain.answerAnything('HTTP/1.1 400 Bad Request\r\n\r\n');
  await until(() => own.one().lastError !== null, 'the error');
  expect(own.one().lastError?.message).toContain('does not speak TLS');
  await using secure = await FakeBroker.start(issued());
  await using other = await started(`url: 'mqtt://127.0.0.1:${secure.port}'`);
  await until(() => other.one().lastError !== null, 'the error');
  expect(other.one().lastError?.message).toContain('mqtts://');
});

test('a broker that is not there, or has no such name, is told', async () => {
  const gone = await FakeBroker.start();
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  await using own = await started(`url: 'mqtt://127.0.0.1:${port}'`);
  await until(() => own.one().lastError !== null, 'the error');
  expect(own.one().lastError?.message).toContain('connection refused (is the broker running there?)');
  await using other = await started("url: 'mqtt://nobody.invalid'");
  await until(() => other.one().lastError !== null, 'the error');
  expect(other.one().lastError?.message).toContain('unknown host name (DNS)');
});

test('what is wrong or unwise is told at the start, without the secret or where it is', async () => {
  await using folder = await temporaryFolder();
  const passwordFile = join(folder.path, 'password');
  await writeFile(passwordFile, 'geheim');
  await chmod(passwordFile, 0o644);
  await using own = await started(
    `url: 'mqtt://nobody.invalid', username: gw1, passwordFile: '${passwordFile}'`,
  );
  expect(own.sources.warnings).toEqual([
    'mqtt.sources.plant: mqtt:// sends the password for everybody on the way to read; use mqtts://',
    'mqtt.sources.plant.passwordFile: every user of this device may read or change this file; take that right away: chmod o-rwx',
  ]);
  await using other = await started(
    "url: 'mqtts://127.0.0.1:1', username: u, passwordEnv: NONE, tls: { caFile: /missing }",
  );
  expect(other.sources.warnings).toEqual([
    'mqtt.sources.plant.tls.caFile: /missing cannot be read: it is not there; write it, or correct the path',
    'mqtt.sources.plant.passwordEnv: there is no environment variable of this name; set it where the gateway is started',
  ]);
  await until(() => other.one().lastError !== null, 'the error');
  expect(
    other.metrics.value('headwater_mqtt_source_reconnects_total', { source: 'plant', cause: 'access' }),
  ).toBe(1);
});
