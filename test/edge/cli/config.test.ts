import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { FakeGateway, json, type Session, session } from './fake-gateway.ts';

/** Runs a `config` command in a folder with this headwater.yaml. */
async function inFolder(folder: string, yaml: string | null, words: readonly string[]): Promise<Session> {
  if (yaml !== null) await writeFile(join(folder, 'headwater.yaml'), yaml);
  return await session(['config', ...words], { workingDirectory: folder });
}

/** What somebody may write on the first evening. The tab stands in the last line. */
const tenMistakes = `\
gateway:
  name: pump house 1
mqtt:
  listen: 0.0.0.0:1883
  ws:
    listen: 127.0.0.1:8080
  limts:
    connections: 10
data:
  budget: 4 gigabytes
  commitIntervalMs: 20ms
serial:
  - name: weather
    path: ttyUSB0
    decoder: jsn
topics:
  temperature:
    retention:
      age: 30
admin:
  listen: 127.0.0.1:8080
log:
\tlevel: debug
`;

describe('config check', () => {
  test('tells all of ten mistakes and more at once, in the order of their lines, each with what to write', async () => {
    await using folder = await temporaryFolder();
    const { code, output, errors } = await inFolder(folder.path, tenMistakes, ['check']);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors.replaceAll('./headwater.yaml:', '').split('\n')).toEqual([
      '2:3: gateway.name: write 1 to 63 letters, digits, ".", "_" or "-", not "pump house 1"',
      '4:3: mqtt.listen: beyond loopback (0.0.0.0:1883) devices log in, and there are no users yet. Add one: headwater devices add NAME (with the same --config or --set data.dir=…), or set mqtt.anonymous: true to let everybody in',
      '7:3: mqtt.limts: unknown setting; did you mean limits?',
      '10:3: data.budget: write a size from 256MiB to 1024TiB, such as 1GiB, 32GB or 10TB, or a number of bytes, not "4 gigabytes"',
      '11:3: data.commitIntervalMs: write a whole number of milliseconds from 0 to 1000 and nothing else: no unit, no quotes, not "20ms"',
      '13:5: serial.0.baud: is missing; write a whole number of bits per second from 50 to 4000000',
      "14:5: serial.0.path: write the path of a serial port, such as /dev/serial/by-id/usb-…, perhaps with * in its last name, or usb: { vendor: '0403', product: '6001' } instead, not \"ttyUSB0\"",
      '15:5: serial.0.decoder: did you mean json? Otherwise write one of json, raw, csv, key-value, regex, number, nmea, sds011, pms5003, mh-z19, dsmr, or a mapping with one of them as type, not "jsn"',
      '19:7: topics.temperature.retention.age: write the unit as well: a duration from 1ms to 36500d, such as 30d, 12h, 15m, 30s or 250ms, not 30',
      '21:3: admin.listen: write another port than that of mqtt.ws.listen, not "127.0.0.1:8080"',
      '23:1: YAML does not indent with tabs; use spaces',
      '',
    ]);
  });

  test('says that all is well, of a file and without one', async () => {
    await using folder = await temporaryFolder();
    expect(await inFolder(folder.path, null, ['check'])).toEqual({
      code: 0,
      output: 'the configuration is fine (all defaults, no ./headwater.yaml here)\n',
      errors: '',
    });
    expect(await inFolder(folder.path, 'gateway: { name: gw7 }\n', ['check'])).toEqual({
      code: 0,
      output: 'the configuration is fine (./headwater.yaml)\n',
      errors: '',
    });
  });

  test('lets a port be beyond loopback once there are users, or nobody needs one', async () => {
    await using folder = await temporaryFolder();
    const yaml = 'mqtt: { listen: 0.0.0.0:1883 }\n';
    expect(await inFolder(folder.path, yaml, ['check'])).toMatchObject({ code: 2 });
    const anonymous = 'mqtt: { listen: 0.0.0.0:1883, anonymous: true }\n';
    expect(await inFolder(folder.path, anonymous, ['check'])).toMatchObject({ code: 0 });
    const added = await session(['devices', 'add', 'pump'], {
      workingDirectory: folder.path,
      input: 'a long enough password\n',
    });
    expect(added).toMatchObject({ code: 0 });
    expect(await inFolder(folder.path, yaml, ['check'])).toMatchObject({ code: 0 });
  });

  test('warns of secrets that everybody may read, and of those that are not there', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'secret'), 'hunter2');
    await chmod(join(folder.path, 'secret'), 0o644);
    const sasl = (where: string) =>
      `forwarder: { tls: {}, sasl: { mechanism: SCRAM-SHA-512, username: gw1, ${where} } }\n`;
    const open = await inFolder(folder.path, sasl('passwordFile: secret'), ['check']);
    expect(open).toMatchObject({ code: 0, errors: '' });
    expect(open.output).toMatch(
      /^warning: forwarder\.sasl\.passwordFile: every user of this device may read or change this file; .*\nthe configuration is fine/,
    );
    const missing = await inFolder(folder.path, sasl('passwordEnv: HEADWATER_TEST_UNSET'), ['check']);
    expect(missing.output).toContain('warning: forwarder.sasl.passwordEnv: there is no environment variable');
    const own = 'mqtt: { tls: { certFile: none.pem, keyFile: none.key } }\n';
    expect((await inFolder(folder.path, own, ['check'])).output).toContain('warning: mqtt.tls.certFile: ');
  });

  test('ends with 2 if the file is not there', async () => {
    await using folder = await temporaryFolder();
    const result = await session(['--config', 'none.yaml', 'config', 'check'], {
      workingDirectory: folder.path,
    });
    expect(result).toMatchObject({ code: 2, errors: expect.stringMatching(/^none\.yaml: cannot be read/) });
  });
});

interface Shown {
  readonly file: string | null;
  readonly settings: readonly { readonly name: string }[];
}

const yaml = `\
data:
  dir: store
topics:
  a.b:
    retention: { age: 30d }
serial:
  - { name: w, path: /dev/w, baud: 9600, framing: slip }
forwarder:
  sasl:
    mechanism: PLAIN
    username: gw1
    passwordFile: secret
`;

describe('config show', () => {
  test('says what counts, and where it is written', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'secret'), 'hunter2');
    const { code, output } = await inFolder(folder.path, yaml, ['show', '--set', 'log.level=debug']);
    expect(code).toBe(0);
    const lines = output.split('\n').map((line) => line.split(/ {2,}/));
    const at = (line: string): string => `./headwater.yaml:${line}`;
    for (const line of [
      ['gateway.name', 'gw1', 'default'],
      ['data.dir', join(folder.path, 'store'), at('2:3')],
      ['mqtt.listen', '127.0.0.1:1883', 'default'],
      ['mqtt.limits.pending', '6MiB', 'default'],
      ['topics."a.b".partitions', '1', 'default'],
      ['topics."a.b".retention.age', '30d', at('5:18')],
      ['serial.0.framing.type', 'slip', at('7:42')],
      ['serial.0.framing.lengthMax', '64KiB', 'default'],
      ['serial.0.parity', 'none', 'default'],
      ['forwarder.waitForClock', '2m', 'default'],
      ['forwarder.sasl.passwordFile', `a secret in the file ${join(folder.path, 'secret')}`, at('12:5')],
      ['log.level', 'debug', '--set log.level'],
    ])
      expect(lines).toContainEqual(line);
    expect(output).not.toContain('hunter2');
    expect(output).not.toContain('data.budget');
    expect((await inFolder(folder.path, yaml, ['show', '--all'])).output).toMatch(/^data\.budget +not set$/m);
  });

  test('says the same as JSON', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'empty'));
    const { output } = await inFolder(folder.path, yaml, ['show', '--json']);
    const shown = JSON.parse(output) as Shown;
    const named = (name: string) => shown.settings.find((row) => row.name === name);
    expect(shown.file).toBe('./headwater.yaml');
    expect(named('data.dir')).toEqual({
      name: 'data.dir',
      value: join(folder.path, 'store'),
      from: { from: 'file', file: './headwater.yaml', line: 2, column: 3 },
    });
    // There is no such file: perhaps its name is the secret.
    expect(named('forwarder.sasl.passwordFile')).toMatchObject({
      value: null,
      secret: { in: 'file', name: null },
    });
    expect(named('log.level')).toEqual({ name: 'log.level', value: 'info', from: { from: 'default' } });
  });

  test('names a variable only if there is one: it may be the secret itself, written in the wrong place', async () => {
    await using folder = await temporaryFolder();
    const source = (name: string) =>
      `mqtt: { sources: [{ name: a, url: 'mqtt://b', topics: [c], username: u, passwordEnv: ${name} }] }\n`;
    const wrong = await inFolder(folder.path, source('hunter2'), ['show']);
    expect(wrong.output).toMatch(
      /^mqtt\.sources\.0\.passwordEnv +a secret; its variable is not set here +\./m,
    );
    expect(wrong.output).not.toContain('hunter2');
    const right = await inFolder(folder.path, source('PATH'), ['show']);
    expect(right.output).toContain('a secret in the environment variable PATH');
    expect(right.output).not.toContain(process.env['PATH']);
  });

  test('tells the problems of a configuration that is none', async () => {
    await using folder = await temporaryFolder();
    const bad = await inFolder(folder.path, 'mqqt: {}\n', ['show']);
    expect(bad).toEqual({
      code: 2,
      output: '',
      errors: './headwater.yaml:1:1: mqqt: unknown setting; did you mean mqtt?\n',
    });
  });
});

describe('reload', () => {
  test.each([
    [{ applied: ['log.level', 'topics.a'], needsRestart: [] }, 'counts now: log.level, topics.a\n'],
    [
      { applied: [], needsRestart: ['mqtt.listen', 'serial'] },
      'nothing has changed that counts at once\nneeds a restart: mqtt.listen, serial\n',
    ],
  ])('says what counts now and what does not: %j', async (answer, output) => {
    const gateway = await FakeGateway.start();
    gateway.answer = (_, response) => json(response, 200, answer);
    const set = ['--set', `data.dir=${gateway.folder}`];
    expect(await session(['reload', ...set])).toEqual({ code: 0, output, errors: '' });
    expect(gateway.requests).toMatchObject([{ method: 'POST', path: '/api/reload' }]);
    const asJson = await session(['reload', '--json', ...set]);
    expect(JSON.parse(asJson.output)).toEqual(answer);
    await gateway.remove();
  });

  test('ends with 2 and tells everything that is wrong, or with 3 if no gateway runs', async () => {
    const gateway = await FakeGateway.start();
    const error = { code: 'bad-configuration', message: 'hw.yaml:1:1: a\nhw.yaml:2:1: b' };
    gateway.answer = (_, response) => json(response, 400, { error });
    const set = ['--set', `data.dir=${gateway.folder}`];
    expect(await session(['reload', ...set])).toEqual({ code: 2, output: '', errors: `${error.message}\n` });
    await gateway.crash();
    expect(await session(['reload', ...set])).toMatchObject({ code: 3 });
    await gateway.remove();
  });

  test('is left to the gateway, which counts and logs it, also while the file is wrong', async () => {
    await using folder = await temporaryFolder();
    const gateway = await FakeGateway.start();
    onTestFinished(() => gateway.remove());
    const error = { code: 'bad-configuration', message: 'the configuration before still counts; …' };
    gateway.answer = (_, response) => json(response, 400, { error });
    await writeFile(
      join(folder.path, 'headwater.yaml'),
      `data: { dir: ${gateway.folder} }\nmqtt: { listen: 1883 }\n`,
    );
    const refused = await session(['reload'], { workingDirectory: folder.path });
    expect(refused).toEqual({ code: 2, output: '', errors: `${error.message}\n` });
    expect(gateway.requests).toMatchObject([{ method: 'POST', path: '/api/reload' }]);
  });
});

describe('a mistake in the file on disk', () => {
  test.each([
    ['status', '--json'],
    ['alerts', 'list', '--json'],
    ['topics', 'list', '--json'],
  ])('is a warning for who asks a gateway that runs: %s %s', async (...words) => {
    await using folder = await temporaryFolder();
    const gateway = await FakeGateway.start();
    onTestFinished(() => gateway.remove());
    gateway.answer = (_, response) => json(response, 200, { state: 'ready', alerts: [], topics: [] });
    await writeFile(
      join(folder.path, 'headwater.yaml'),
      `data: { dir: ${gateway.folder} }\nmqtt: { listen: 1883 }\n`,
    );
    const { code, output, errors } = await session(words, { workingDirectory: folder.path });
    expect(code).toBe(0);
    expect(JSON.parse(output)).toBeTypeOf('object');
    expect(errors).toMatch(
      /^warning: \.\/headwater\.yaml:2:9: mqtt\.listen: .*\nwarning: with this configuration no gateway starts or reloads; .*\n$/,
    );
  });
});
