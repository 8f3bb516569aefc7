import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { FakeGateway, json, session } from './fake-gateway.ts';

let gateway: FakeGateway;
let place: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  gateway = await FakeGateway.start();
  place = await temporaryFolder();
});

afterEach(async () => {
  await gateway.remove();
  await place[Symbol.asyncDispose]();
});

const bundle = (...words: string[]) =>
  session(['support-bundle', 'help.json', '--set', `data.dir=${gateway.folder}`, ...words], {
    workingDirectory: place.path,
  });

const written = async () => JSON.parse(await readFile(join(place.path, 'help.json'), 'utf8'));

it('holds what is known of a running gateway, is not for everybody, and replaces nothing', async () => {
  gateway.answer = ({ url }, response) =>
    url.pathname === '/metrics'
      ? response.end('# HELP a b\na 1\n')
      : url.pathname === '/api/service-log'
        ? json(response, 200, { lines: ['{"level":"warn"}'], leftOut: 2 })
        : json(response, 200, { state: 'degraded', reasons: ['the disk is full'] });
  const { code, output, errors } = await bundle();
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toContain('look through it before you send it');
  expect((await stat(join(place.path, 'help.json'))).mode & 0o777).toBe(0o600);
  const { versions, configuration, doctor, status, metrics, log } = await written();
  expect(versions).toMatchObject({ headwater: '0.1.0', node: process.version });
  expect(configuration.settings).toContainEqual(
    expect.objectContaining({ name: 'data.dir', value: gateway.folder }),
  );
  expect(doctor.map(({ about }: { about: string }) => about)).toContain('clock');
  expect(status).toEqual({ state: 'degraded', reasons: ['the disk is full'] });
  expect(metrics).toEqual(['# HELP a b', 'a 1']);
  expect(log.newestWarnings).toEqual({ lines: ['{"level":"warn"}'], leftOut: 2 });
  expect(await bundle()).toMatchObject({ code: 1, errors: expect.stringContaining('is there already') });
  expect((await bundle('--force')).code).toBe(0);
});

/** Stands in for the command of systemd. */
async function journalctl(script: string): Promise<void> {
  await writeFile(join(place.path, 'journalctl'), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  vi.stubEnv('PATH', `${place.path}:${process.env['PATH']}`);
  onTestFinished(() => void vi.unstubAllEnvs());
}

it('holds what the journal has of the packaged service, bounded, newest last, without secrets', async () => {
  await writeFile(join(gateway.folder, 'claim-code'), 'ABCD-1234\n');
  await journalctl(
    `echo "$*" > ${place.path}/asked; echo 'the newest'; echo 'code ABCD-1234'; echo 'the oldest'`,
  );
  expect((await bundle()).code).toBe(0);
  expect((await written()).log.journal).toEqual(['the oldest', 'code (removed)', 'the newest']);
  expect(await readFile(join(place.path, 'asked'), 'utf8')).toMatch(
    new RegExp(`--unit headwater.service --lines ${limits.supportJournalLinesMax} .*--reverse`),
  );

  await journalctl(`echo newest; yes 'a line' | head -c ${limits.supportJournalBytesMax + 5}`);
  expect((await bundle('--force')).code).toBe(0);
  const { journal } = (await written()).log;
  expect([journal.at(-1), journal[0]]).toEqual(['newest', 'a line']);
  expect(journal.join('\n').length).toBeLessThan(limits.supportJournalBytesMax);
});

it('says why there is nothing of the journal', async () => {
  await journalctl('exit 0');
  expect((await bundle()).code).toBe(0);
  expect((await written()).log.journal.unavailable).toContain('try again with sudo');
  await journalctl('echo no such unit >&2; exit 1');
  expect((await bundle('--force')).code).toBe(0);
  expect((await written()).log.journal.unavailable).toContain('no such unit');
});

it('bounds the metrics', async () => {
  const line = `${'m'.repeat(1023)}\n`;
  gateway.answer = (_, response) => response.end(line.repeat(limits.supportMetricsBytesMax / 1024 + 100));
  expect((await bundle()).code).toBe(0);
  const { metrics } = await written();
  expect(metrics.at(-1)).toBe('# there are more metrics, which are left out');
  expect(metrics.join('\n').length).toBeLessThan(limits.supportMetricsBytesMax + 100);
});

it('says why something is missing when no gateway runs', async () => {
  await gateway.crash();
  expect((await bundle()).code).toBe(0);
  const { status, metrics } = await written();
  expect(status.unavailable).toContain('no gateway is running');
  expect(metrics.unavailable).toContain('no gateway is running');
});

it('holds all of a running gateway while its configuration on disk is wrong, what is wrong with that, and the rest of it', async () => {
  gateway.answer = ({ url }, response) =>
    url.pathname === '/metrics' ? response.end('a 1\n') : json(response, 200, { state: 'ready' });
  const yaml = `data: { dir: ${gateway.folder} }\nmqtt: { listen: 1883 }\nlog: { level: debug }\n`;
  await writeFile(join(place.path, 'headwater.yaml'), yaml);
  const { code, errors } = await session(['support-bundle', 'help.json'], { workingDirectory: place.path });
  expect(code).toBe(0);
  expect(errors).toMatch(/^warning: \.\/headwater\.yaml:2:9: mqtt\.listen: .*\nwarning: .*\n$/);
  const { configuration, doctor, status, metrics } = await written();
  expect(configuration.problems).toEqual([expect.stringContaining('headwater.yaml:2:9: mqtt.listen: ')]);
  const setting = (name: string) =>
    configuration.settings.find((row: { name: string }) => row.name === name)?.value;
  expect(setting('data.dir')).toBe(gateway.folder);
  expect(setting('log.level')).toBe('debug');
  expect(doctor.map(({ about }: { about: string }) => about)).toContain('clock');
  expect({ status, metrics }).toEqual({ status: { state: 'ready' }, metrics: ['a 1'] });
});

it('holds what can be had where the configuration does not even tell the data folder', async () => {
  await writeFile(join(place.path, 'headwater.yaml'), 'data: { dir: 5 }\n');
  const { code } = await session(['support-bundle', 'help.json'], { workingDirectory: place.path });
  expect(code).toBe(0);
  const { versions, configuration, status, doctor } = await written();
  expect(versions.headwater).toBe('0.1.0');
  expect(configuration.problems).toEqual([expect.stringContaining('data.dir')]);
  for (const { unavailable } of [status, doctor]) expect(unavailable).toContain('data.dir');
});

it('holds no secret, wherever one was planted', async () => {
  const secret = (of: string) => `planted-${of}-4711`;
  const write = (name: string, of: string) => writeFile(join(place.path, name), secret(of), { mode: 0o600 });
  await mkdir(join(place.path, 'keys'));
  await Promise.all([
    write('kafka.txt', 'kafka'),
    write('source.txt', 'source'),
    write('keys/key.pem', 'key'),
  ]);
  for (const name of ['users.json', 'admin.json', 'mqtt-key.pem', 'claim-code', 'admin.token'])
    await writeFile(join(gateway.folder, name), name === 'admin.token' ? 'secret' : secret(name), {
      mode: 0o600,
    });
  // Whatever an answer quotes, the claim code and names that may be secrets are taken out.
  gateway.answer = (_, response) =>
    json(response, 200, { reasons: [`${secret('claim-code')} and ${secret('misplaced-file')} and secret`] });
  await writeFile(
    join(place.path, 'headwater.yaml'),
    `
mqtt:
  tls: { listen: "127.0.0.1:0", certFile: keys/cert.pem, keyFile: keys/key.pem }
  sources:
    - { name: a, url: "mqtt://127.0.0.1:1", topics: [t], username: u, passwordFile: source.txt }
    - { name: b, url: "mqtt://127.0.0.1:1", topics: [t], username: u, passwordFile: ${secret('misplaced-file')} }
    - { name: c, url: "mqtt://127.0.0.1:1", topics: [t], username: u, passwordEnv: PLANTED_UNSET }
forwarder:
  brokers: ["127.0.0.1:1"]
  sasl: { mechanism: PLAIN, username: gw1, passwordFile: ${secret('kafka-misplaced')} }
  tls: { caFile: keys/key.pem }
`,
  );
  expect(await bundle()).toMatchObject({ code: 0, errors: '' });
  const text = await readFile(join(place.path, 'help.json'), 'utf8');
  expect(text).not.toMatch(/planted-[^"]*4711|PLANTED_UNSET/);
  const { configuration, status, doctor } = await written();
  expect(configuration.settings).toContainEqual(
    expect.objectContaining({ name: 'mqtt.sources.0.passwordFile', value: null }),
  );
  expect(status.reasons).toEqual(['(removed) and (removed) and (removed)']);
  expect(doctor.length).toBeGreaterThan(3);
});
