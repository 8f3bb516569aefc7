import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, spawnGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const tlsOnly = ['mqtt.listen=off', 'mqtt.tls.listen=127.0.0.1:0'];

const status = async (gateway: RunningGateway): Promise<StatusReport> =>
  (await (await gateway.api('/api/status')).json()) as StatusReport;

test('TLS only, with a certificate that a person can give to clients, and that a SIGKILL and a restart leave as it is', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const set = [...tlsOnly, 'gateway.name=gw1'];
  expect(await headwaterProcess(dataDir, ['certificate'])).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/there is no certificate yet .*first starts with mqtt\.tls/),
  });
  await using gateway = await startGateway({ dataDir, set });
  const { output: ca, errors, code } = await headwaterProcess(dataDir, ['certificate']);
  const { fingerprint256 } = new X509Certificate(ca);
  expect(code).toBe(0);
  expect(errors).toContain(fingerprint256);
  expect(errors).toContain(join(dataDir, 'mqtt-certificate.pem'));
  expect(errors).toMatch(/names .*\bgw1\b.*127\.0\.0\.1/);
  expect((await stat(join(dataDir, 'mqtt-key.pem'))).mode & 0o777).toBe(0o600);
  expect(gateway.stdout()).toContain(`SHA-256 ${fingerprint256}`);
  expect((await status(gateway)).addresses.mqtt).toBeNull();
  expect((await status(gateway)).tls?.fingerprint).toBe(fingerprint256);
  const shown = await headwaterProcess(dataDir, ['status']);
  expect(shown.output).toMatch(/^ {2}mqtt {5}127\.0\.0\.1:\d+ by TLS\n {2}tls {6}.*mqtt-certificate\.pem/m);
  const publish = async ({ addresses }: RunningGateway): Promise<void> => {
    const client = await connectAsync(`mqtts://${addresses.mqtts}`, { ca, reconnectPeriod: 0 }, false);
    await client.publishAsync('t', 'by TLS', { qos: 1 });
    await client.endAsync();
  };
  await publish(gateway);
  await gateway.kill('SIGKILL');
  await using again = await startGateway({ dataDir, set });
  await publish(again);
  const { output } = await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning']);
  expect(output).toBe('by TLS\nby TLS\n');
  expect(`${again.stdout()}${again.stderr()}`).not.toContain('PRIVATE');
  const metrics = await (await again.api('/metrics')).text();
  expect(metrics).toMatch(/^headwater_mqtt_connections\{listener="mqtts"\} 0$/m);
  const endsMs = Date.parse(new X509Certificate(ca).validTo);
  expect(metrics).toContain(`headwater_certificate_expiry_timestamp_seconds{port="mqtt"} ${endsMs / 1000}\n`);
});

test('two gateways that begin at once on one folder leave one certificate, and beyond loopback TLS needs users as well', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await using one = spawnGateway({ dataDir, set: tlsOnly });
  await using other = spawnGateway({ dataDir, set: tlsOnly });
  // One of them is refused by the lock, before anything is made.
  await Promise.race([one.exited, other.exited]);
  expect(`${one.stderr()}${other.stderr()}`).toMatch(/^another gateway .*works on the data folder/m);
  await using elsewhere = spawnGateway({
    dataDir: join(folder.path, 'other'),
    set: ['mqtt.listen=off', 'mqtt.tls.listen=0.0.0.0:0'],
  });
  expect((await elsewhere.exited).code).toBe(2);
  expect(elsewhere.stderr()).toMatch(/mqtt\.tls\.listen: beyond loopback .*headwater devices add NAME/);
});

test('a certificate that cannot be used keeps nothing from starting, and is told', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const files = ['mqtt.tls.certFile=/nowhere/cert.pem', 'mqtt.tls.keyFile=/nowhere/key.pem'];
  await using gateway = await startGateway({ dataDir, set: ['mqtt.tls.listen=127.0.0.1:0', ...files] });
  const plain = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 }, false);
  await plain.publishAsync('t', 'x', { qos: 1 });
  await plain.endAsync();
  await expect.poll(() => gateway.stdout()).toMatch(/^warning: mqtt\.tls\.certFile: .*cannot be read/m);
  const shown = await headwaterProcess(dataDir, ['status']);
  expect(shown.output).toMatch(/NO USABLE CERTIFICATE.*\n.*TROUBLE: mqtt\.tls\.certFile/);
});
