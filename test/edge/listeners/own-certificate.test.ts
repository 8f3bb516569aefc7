import { X509Certificate } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { machineNames } from '../../../src/edge/listeners/machine-names.ts';
import { ownCertificate } from '../../../src/edge/listeners/own-certificate.ts';
import { KeepingLogger } from '../../ingest/mqtt/harness.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const subject = {
  name: 'gw1',
  hosts: ['gw1', 'gw1.local', 'localhost'],
  addresses: ['192.0.2.7', '127.0.0.1', '2001:db8::7'],
};

async function site() {
  const folder = await temporaryFolder();
  const logger = new KeepingLogger();
  const random = new SimRandom(1);
  return {
    logger,
    open: () => ownCertificate(folder.path, subject, random, logger),
    certificateFile: join(folder.path, 'mqtt-certificate.pem'),
    keyFile: join(folder.path, 'mqtt-key.pem'),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  };
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('the certificate is made once, with all names, for as long as a device may live, and the key is nobody else’s', async () => {
  await using gateway = await site();
  const first = await gateway.open();
  expect(await gateway.open()).toEqual(first);
  expect(gateway.logger.lines.length).toBe(1);
  expect(await readFile(gateway.certificateFile, 'utf8')).toBe(first.certificate);
  expect(await modeOf(gateway.keyFile)).toBe(0o600);
  const certificate = new X509Certificate(first.certificate);
  expect(certificate.subject).toBe('CN=gw1');
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(certificate.validFromDate.getTime()).toBe(0);
  expect(certificate.validToDate.toISOString()).toBe('9999-12-31T23:59:59.000Z');
  for (const name of ['gw1', 'gw1.local', 'localhost']) expect(certificate.checkHost(name)).toBe(name);
  for (const ip of subject.addresses) expect(certificate.checkIP(ip)).toBe(ip);
  expect(certificate.checkHost('gw2')).toBeUndefined();
});

test('a client that was given the certificate trusts the gateway, and checks its name', async () => {
  await using gateway = await site();
  const { certificate, key } = await gateway.open();
  const server = createServer({ cert: certificate, key }).listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const dial = (servername: string): Promise<string> =>
      new Promise((resolve) => {
        const options = { host: '127.0.0.1', port: address.port, ca: certificate, servername };
        const socket = connect(options, () => resolve('trusted'));
        socket.once('secureConnect', () => socket.destroy());
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      });
    expect(await dial('gw1.local')).toBe('trusted');
    expect(await dial('gw2')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  } finally {
    server.close();
  }
});

test('what others could read is shut again, and what is lost or damaged is made anew, and said', async () => {
  await using gateway = await site();
  const first = await gateway.open();
  await chmod(gateway.keyFile, 0o644);
  expect(await gateway.open()).toEqual(first);
  expect(await modeOf(gateway.keyFile)).toBe(0o600);
  await writeFile(gateway.certificateFile, 'torn');
  const second = await gateway.open();
  expect(second.key).toBe(first.key);
  expect(second.certificate).not.toBe(first.certificate);
  await rm(gateway.keyFile);
  const third = await gateway.open();
  expect(third.key).not.toBe(first.key);
  expect(await gateway.open()).toEqual(third);
  expect(gateway.logger.lines.length).toBe(3);
  expect(gateway.logger.lines.join()).not.toContain('PRIVATE');
});

test('the names of a machine are legal in a certificate, whatever it and the gateway are called', () => {
  const { name, hosts, addresses } = machineNames('site_7', 'Pump-1.example.com');
  expect(name).toBe('site_7');
  expect(hosts).toEqual(['pump-1.example.com', 'pump-1.local', 'localhost']);
  expect(machineNames('gw1', 'pump').hosts).toEqual(['pump', 'pump.local', 'gw1', 'gw1.local', 'localhost']);
  expect(addresses).toContain('127.0.0.1');
  expect(addresses).toContain('::1');
  expect(addresses.filter((address) => address.startsWith('fe80'))).toEqual([]);
});
