import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import type { MqttTlsConfig } from '../../../src/edge/config/mqtt-sections.ts';
import { TlsCredentials } from '../../../src/edge/listeners/tls-credentials.ts';
import { KeepingLogger } from '../../ingest/mqtt/harness.ts';
import { certificateAuthority } from '../../support/certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ca = certificateAuthority('CA');

async function site(files: { readonly [name: string]: string }, more: Partial<MqttTlsConfig> = {}) {
  const folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const write = async (name: string, text: string): Promise<void> => {
    // As those do who renew certificates: another file under the name.
    await writeFile(at(`${name}.new`), text, { mode: 0o600 });
    await rename(at(`${name}.new`), at(name));
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const clock = new ManualClock();
  const logger = new KeepingLogger();
  const config = { certFile: at('cert.pem'), keyFile: at('key.pem'), ...more };
  const tls = await TlsCredentials.open({
    section: 'mqtt.tls',
    config,
    certificateFile: at('cert.pem'),
    own: null,
    standIn: null,
    clock,
    logger,
  });
  let changes = 0;
  tls.onChange(() => changes++);
  return {
    tls,
    logger,
    at,
    write,
    changes: () => changes,
    /** Lets the time pass in which files are looked at, until the condition holds. */
    look: (condition: () => boolean) =>
      expect
        .poll(() => {
          clock.pass(limits.mqttCertificateLookMs);
          return condition();
        })
        .toBe(true),
    [Symbol.asyncDispose]: async () => {
      await tls.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const issued = (name: string) => {
  const { certificate, key } = ca.issue({ name });
  return { 'cert.pem': certificate, 'key.pem': key };
};

test('renewed files count without a restart, and nothing happens while they stay as they are', async () => {
  await using gateway = await site(issued('gw1'));
  const { tls } = gateway;
  const { fingerprint } = tls.status();
  expect(fingerprint).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
  const renewed = issued('gw1');
  await gateway.write('cert.pem', renewed['cert.pem']);
  await gateway.look(() => tls.status().problems.length > 0);
  // Between the two they do not belong together: what was there stays.
  expect(tls.status().fingerprint).toBe(fingerprint);
  expect(gateway.changes()).toBe(0);
  await gateway.write('key.pem', renewed['key.pem']);
  await gateway.look(() => gateway.changes() === 1);
  expect(tls.credentials).toMatchObject({ cert: renewed['cert.pem'], key: renewed['key.pem'] });
  expect(tls.status()).toMatchObject({ problems: [] });
  expect(tls.status().fingerprint).not.toBe(fingerprint);
  expect(gateway.logger.lines.length).toBe(1);
});

test.each([
  ['missing', () => undefined, /cannot be read: it is not there; write it/],
  ['no PEM', () => 'x', /holds no certificate in PEM/],
  ['damaged', (pem: string) => pem.replace(/M/g, 'N'), /is damaged; copy the file again/],
])(
  'a certificate file that becomes %s is told once, and the old certificate stays',
  async (_, broken, message) => {
    const files = issued('gw1');
    await using gateway = await site(files);
    const before = gateway.tls.credentials;
    const text = broken(files['cert.pem']);
    if (text === undefined) await rm(gateway.at('cert.pem'));
    else await gateway.write('cert.pem', text);
    await gateway.look(() => gateway.tls.status().problems.length > 0);
    expect(gateway.tls.status().problems.join()).toMatch(message);
    for (let time = 0; time < 5; time++) await gateway.look(() => true);
    expect(gateway.tls.credentials).toEqual(before);
    expect(gateway.logger.lines.length).toBe(1);
    await gateway.write('cert.pem', files['cert.pem']);
    await gateway.look(() => gateway.changes() === 1);
  },
);

test('files that are wrong at the start keep nothing from starting, and count as soon as they are right', async () => {
  const { certificate } = ca.issue({ name: 'other' });
  await using gateway = await site({ ...issued('gw1'), 'cert.pem': certificate });
  expect(gateway.tls.credentials).toBeNull();
  expect(gateway.tls.status()).toMatchObject({ fingerprint: null, validToMs: null });
  expect((await gateway.tls.warnings()).join()).toMatch(/key\.pem is not the key of the certificate in/);
  const right = issued('gw1');
  await gateway.write('cert.pem', right['cert.pem']);
  await gateway.write('key.pem', right['key.pem']);
  await gateway.look(() => gateway.changes() > 0);
  expect(gateway.tls.credentials).not.toBeNull();
});

test('a key that everybody may read is warned of; no key is ever told', async () => {
  const files = issued('gw1');
  await using gateway = await site(files);
  expect(await gateway.tls.warnings()).toEqual([]);
  await chmod(gateway.at('key.pem'), 0o644);
  expect((await gateway.tls.warnings()).join()).toMatch(/every user of this device may read/);
  await gateway.write('key.pem', `${files['key.pem'].slice(0, 60)} secret`);
  await gateway.look(() => gateway.tls.status().problems.length > 0);
  const told = JSON.stringify([gateway.tls.status(), gateway.logger.lines]);
  expect(told).not.toContain(files['key.pem'].slice(30, 55));
});

test('the CAs of clients are read with them, and clients are asked as the configuration says', async () => {
  await using folder = await temporaryFolder();
  const clientCaFile = join(folder.path, 'ca.pem');
  await writeFile(clientCaFile, ca.certificate);
  await using optional = await site(issued('gw1'), { clientCaFile });
  expect(optional.tls.clientCertificates).toBe('optional');
  expect(optional.tls.credentials?.ca).toEqual([ca.certificate]);
  await using required = await site(issued('gw1'), { clientCaFile, clientCertificates: 'required' });
  expect(required.tls.clientCertificates).toBe('required');
  await using none = await site(issued('gw1'));
  expect(none.tls.clientCertificates).toBe('off');
  await rm(clientCaFile);
  await optional.look(() => optional.tls.status().problems.length > 0);
  // Nobody gets in whom the CAs from before would not let in.
  expect(optional.tls.credentials?.ca).toEqual([ca.certificate]);
});
