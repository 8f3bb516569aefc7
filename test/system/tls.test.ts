import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certificateAuthority } from '../support/certificates.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

/** What mosquitto_pub ends with; 0 once the message is acknowledged. */
async function published(address: string | null, message: string, args: readonly string[]): Promise<number> {
  const port = address?.split(':').at(-1) ?? '';
  const where = ['-h', 'localhost', '-p', port, '-q', '1', '-t', 't', '-m', message];
  return (await runProgram('mosquitto_pub', [...where, ...args])).code;
}

const stored = async (dataDir: string): Promise<string> =>
  (await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning'])).output;

const refused = async (gateway: RunningGateway, reason: string): Promise<boolean> => {
  const metrics = await (await gateway.api('/metrics')).text();
  return metrics.includes(`headwater_mqtt_connections_refused_total{reason="${reason}"} 1`);
};

test('mosquitto_pub trusts the certificate that headwater certificate prints, with user and password, and no other', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  await using gateway = await startGateway({
    dataDir,
    set: ['mqtt.listen=off', 'mqtt.tls.listen=127.0.0.1:0'],
  });
  const { mqtts } = gateway.addresses;
  const file = join(folder.path, 'gw1.pem');
  await writeFile(file, (await headwaterProcess(dataDir, ['certificate'])).output);
  const right = ['--cafile', file, '-u', 'pump', '-P', 'secret'];
  expect(await published(mqtts, 'right', right)).toBe(0);
  expect(await published(mqtts, '1.2', [...right, '--tls-version', 'tlsv1.2'])).toBe(0);
  expect(await published(mqtts, 'no login', ['--cafile', file])).not.toBe(0);
  expect(await published(mqtts, 'no TLS', ['-u', 'pump', '-P', 'secret'])).not.toBe(0);
  const other = join(folder.path, 'other.pem');
  await writeFile(other, certificateAuthority('other').certificate);
  expect(await published(mqtts, 'untrusted', ['--cafile', other, '-u', 'pump', '-P', 'secret'])).not.toBe(0);
  await expect.poll(() => refused(gateway, 'certificate-refused')).toBe(true);
  await expect
    .poll(() => gateway.stderr() + gateway.stdout())
    .toMatch(/does not trust the certificate of this gateway/);
  expect(await refused(gateway, 'no-tls')).toBe(true);
  expect(await stored(dataDir)).toBe('right\n1.2\n');
});

test('mosquitto_pub logs in by a certificate, as the user of that name, until the user is removed', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const file = (name: string): string => join(folder.path, name);
  const ca = certificateAuthority('devices');
  const server = ca.issue({ name: 'gw1', hosts: ['localhost'] });
  const pump = ca.issue({ name: 'pump' });
  const stranger = ca.issue({ name: 'stranger' });
  const forged = certificateAuthority('devices').issue({ name: 'pump' });
  const files = { ca, server, pump, stranger, forged };
  for (const [name, { certificate, key }] of Object.entries(files)) {
    await writeFile(file(`${name}.pem`), certificate);
    await writeFile(file(`${name}.key`), key);
  }
  const added = await headwaterProcess(dataDir, [
    'devices',
    'add',
    'pump',
    '--certificate',
    '--publish',
    't',
  ]);
  expect(added.output).toBe('added user pump (by certificate only): publishes t, subscribes everywhere\n');
  const tls = `{ listen: '127.0.0.1:0', certFile: ${file('server.pem')}, keyFile: ${file('server.key')}, clientCaFile: ${file('ca.pem')}, clientCertificates: required }`;
  await using gateway = await startGateway({ dataDir, set: [`mqtt.tls=${tls}`] });
  const as = (name: string): string[] => [
    '--cafile',
    file('ca.pem'),
    '--cert',
    file(`${name}.pem`),
    '--key',
    file(`${name}.key`),
  ];
  const { mqtts } = gateway.addresses;
  expect(await published(mqtts, 'by certificate', as('pump'))).toBe(0);
  expect(await published(mqtts, 'not allowed', [...as('pump'), '-t', 'elsewhere'])).not.toBe(0);
  expect(await published(mqtts, 'a stranger', as('stranger'))).not.toBe(0);
  expect(await published(mqtts, 'forged', as('forged'))).not.toBe(0);
  expect(await published(mqtts, 'none', ['--cafile', file('ca.pem'), '-u', 'pump', '-P', ''])).not.toBe(0);
  await headwaterProcess(dataDir, ['devices', 'remove', 'pump']);
  expect(await published(mqtts, 'removed', as('pump'))).not.toBe(0);
  expect(await stored(dataDir)).toBe('by certificate\n');
});

test('mosquitto_pub with MQTT 5 is told by the gateway to speak MQTT 3.1.1', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const port = gateway.mqtt.split(':')[1] ?? '';
  const where = ['-h', '127.0.0.1', '-p', port, '-V', '5', '-d', '-t', 't', '-m', 'x'];
  const { code, output, errors } = await runProgram('mosquitto_pub', where);
  expect(code).not.toBe(0);
  expect(output + errors).toMatch(/Unsupported Protocol|CONNACK \(132\)/i);
});
