import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { ownCertificate } from '../../../src/edge/listeners/own-certificate.ts';
import { nodeRandom } from '../../../src/platform/node-random.ts';
import { certificateAuthority } from '../../support/certificates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { session } from './fake-gateway.ts';

const DAY_MS = 24 * 3600 * 1000;

interface Found {
  readonly level: string;
  readonly about: string;
  readonly text: string;
}

/** What `headwater doctor` finds about something with this configuration, whose folder is the working directory. */
async function about(what: string, folder: string, yaml: string): Promise<readonly Found[]> {
  const { code, output, errors } = await configured(folder, yaml, 'doctor', '--json');
  expect({ errors, isFound: code === 0 || code === 1 }).toEqual({ errors: '', isFound: true });
  return (JSON.parse(output) as { findings: readonly Found[] }).findings.filter(
    ({ about }) => about === what,
  );
}

/** Runs a command where this configuration is. */
async function configured(folder: string, yaml: string, ...words: string[]) {
  await writeFile(join(folder, 'headwater.yaml'), yaml);
  return await session([...words, '--set', 'mqtt.listen=127.0.0.1:0', '--set', 'admin.listen=127.0.0.1:0'], {
    workingDirectory: folder,
  });
}

test('a serial device that is not plugged in is told as such, not as a matter of rights', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'ttyUSB9');
  const yaml = `serial: [{ name: air, path: ${path}, baud: 9600 }]\n`;
  expect(await about('serial air', folder.path, yaml)).toEqual([
    {
      level: 'wrong',
      about: 'serial air',
      text: `there is no ${path}. Plug the device in, or correct serial.path (headwater serial list shows what is there)`,
    },
  ]);
  await writeFile(path, '');
  expect(await about('serial air', folder.path, yaml)).toEqual([
    { level: 'ok', about: 'serial air', text: `is ${path}` },
  ]);
});

test('the certificate that the gateway makes by itself is not missed before it is there', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const yaml = 'mqtt: { wss: { listen: 127.0.0.1:0 } }\n';
  const own = join(dataDir, 'mqtt-certificate.pem');
  const line = (level: string, words: string) => [
    { level, about: 'certificate', text: `mqtt.tls: ${own} ${words}` },
  ];
  const toCome = line('ok', 'is not there yet; the gateway makes it when it next starts');
  expect(await about('certificate', folder.path, yaml)).toEqual(toCome);
  await mkdir(dataDir);
  expect(await about('certificate', folder.path, yaml)).toEqual(toCome);
  const subject = { name: 'gw1', hosts: ['gw1'], addresses: [] };
  await ownCertificate(dataDir, subject, nodeRandom, silentLogger);
  expect(await about('certificate', folder.path, yaml)).toEqual(line('ok', 'is good until 9999-12-31'));
  await rm(join(dataDir, 'mqtt-key.pem'));
  expect(await about('certificate', folder.path, yaml)).toEqual([
    expect.objectContaining({ level: 'warning', text: expect.stringContaining('makes another one') }),
  ]);
});

test('certificates of all listeners and connections are looked at, by the doctor and by config check', async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const at = (name: string) => join(path, name);
  const authority = certificateAuthority('ca', { toMs: Date.now() + 40 * DAY_MS });
  const pem = authority.issue({ name: 'gw1', toMs: Date.now() + 31.5 * DAY_MS });
  const old = authority.issue({ name: 'gw1', toMs: Date.now() + 3 * DAY_MS });
  await writeFile(at('ca.pem'), authority.certificate);
  await writeFile(at('cert.pem'), pem.certificate);
  await writeFile(at('key.pem'), pem.key, { mode: 0o600 });
  await writeFile(at('old.pem'), old.certificate);
  await writeFile(at('old.key'), old.key, { mode: 0o600 });
  const pair = (cert: string, key: string) => `certFile: ${cert}, keyFile: ${key}`;
  const listening = (mqtt: string, admin: string) =>
    `mqtt: { tls: { listen: 127.0.0.1:0, ${mqtt} } }\nadmin: { tls: { ${admin} } }\n`;
  const well = listening(pair('cert.pem', 'key.pem'), pair('cert.pem', 'key.pem'));
  const end = new Date(Date.now() + 31.5 * DAY_MS).toISOString().slice(0, 10);
  expect((await about('certificate', path, well)).map(({ level, text }) => `${level} ${text}`)).toEqual(
    ['mqtt', 'admin'].map((listener) => `ok ${listener}.tls: ${at('cert.pem')} is good until ${end}`),
  );
  expect((await configured(path, well, 'config', 'check')).output).not.toContain('warning');

  const bad = `${listening(
    `${pair('cert.pem', 'old.key')}, clientCaFile: none.pem`,
    pair('none.pem', 'key.pem'),
  )}forwarder: { brokers: [127.0.0.1:1], tls: { ${pair('old.pem', 'old.key')} } }\n`;
  const soon = new Date(Date.now() + 3 * DAY_MS).toISOString().slice(0, 10);
  const told = [
    `mqtt.tls.clientCaFile: ${at('none.pem')} cannot be read: it is not there`,
    `mqtt.tls.keyFile: ${at('old.key')} is not the key of the certificate in ${at('cert.pem')}`,
    `admin.tls.certFile: ${at('none.pem')} cannot be read: it is not there`,
    `forwarder.tls: ${at('old.pem')} ends on ${soon}: renew it`,
  ];
  const found = await about('certificate', path, bad);
  expect(found.map(({ level }) => level)).toEqual(['wrong', 'wrong', 'wrong', 'warning']);
  const checked = (await configured(path, bad, 'config', 'check')).output;
  for (const [index, words] of told.entries()) {
    expect(found[index]?.text).toContain(words);
    expect(checked).toContain(`warning: ${words}`);
  }
});

test('a data folder that cannot be made is wrong, also for root', async () => {
  await using folder = await temporaryFolder();
  const { output } = await configured(folder.path, '', 'doctor', '--set', 'data.dir=/proc/x/y');
  expect(output).toMatch(
    /^WRONG {2}data folder +\/proc\/x\/y cannot be made, since \/proc takes no folders \(E\w+\); let the user of the gateway/m,
  );
  expect(output).not.toContain('makes it when it first starts');
});

test('files with secrets are for the gateway alone; those of the configuration may be for its group', async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const dataDir = join(path, 'data');
  await mkdir(dataDir, { mode: 0o750 });
  const password = join(path, 'password');
  for (const file of [join(dataDir, 'admin.token'), join(dataDir, 'claim-code'), password])
    await writeFile(file, 'x', { mode: 0o600 });
  const yaml =
    'forwarder: { brokers: [127.0.0.1:1], sasl: { mechanism: PLAIN, username: u, passwordFile: password } }\n';
  const secrets = async () =>
    (await about('secrets', path, yaml)).map(({ level, text }) => `${level} ${text}`);
  const safe = 'ok nobody else can read the files of the data folder with secrets';
  await chmod(password, 0o640);
  expect(await secrets()).toEqual([safe]);
  await chmod(password, 0o644);
  expect(await secrets()).toEqual([
    safe,
    'warning forwarder.sasl.passwordFile: every user of this device may read or change this file; take that right away: chmod o-rwx',
  ]);
  await chmod(password, 0o640);
  for (const [name, mode] of [
    ['admin.token', 0o640],
    ['claim-code', 0o644],
  ] as const) {
    const file = join(dataDir, name);
    await chmod(file, mode);
    expect(await secrets()).toEqual([
      `wrong others may read ${file}: take that right away: chmod 600 ${file}`,
    ]);
    await chmod(file, 0o600);
  }
});

test('names and secrets of MQTT sources are looked at, though none is dialled', async () => {
  await using folder = await temporaryFolder();
  const source = (host: string) =>
    `{ name: plant, url: 'mqtts://${host}:1883', topics: [a], username: u, passwordFile: none }`;
  const yaml = (host: string) => `mqtt: { sources: [${source(host)}] }\n`;
  const known = yaml('localhost');
  expect(await about('dns', folder.path, known)).toEqual([
    {
      level: 'ok',
      about: 'dns',
      text: expect.stringMatching(/^localhost \(mqtt\.sources\.plant\.url\) is .*127/),
    },
  ]);
  expect(await about('source plant', folder.path, known)).toEqual([
    {
      level: 'warning',
      about: 'source plant',
      text: expect.stringMatching(
        /^mqtt\.sources\.plant\.passwordFile: this file cannot be read: it is not there/,
      ),
    },
  ]);
  expect(await about('dns', folder.path, yaml('nowhere.invalid'))).toEqual([
    { level: 'wrong', about: 'dns', text: expect.stringMatching(/^no DNS server .* nowhere\.invalid/) },
  ]);
});
