import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PortEventJson } from '../../src/edge/admin/port-event-json.ts';
import type { StatusReport } from '../../src/edge/status.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REOPENED_MS_MAX = 5_000;
/** Between two lines of a slow device. */
const PAUSE_MS = 270;

interface JsonRecord {
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

async function recordsOf(gateway: RunningGateway, topic: string): Promise<readonly JsonRecord[]> {
  const answer = await gateway.api(`/api/records?topic=${topic}&partition=0&offset=0`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as JsonRecord);
}

async function statusOf(gateway: RunningGateway): Promise<StatusReport> {
  return (await (await gateway.api('/api/status')).json()) as StatusReport;
}

const portOf = async (gateway: RunningGateway) => (await statusOf(gateway)).serial[0];

const startWithPort = (folder: string, path: string, settings = ''): Promise<RunningGateway> =>
  startGateway({
    dataDir: join(folder, 'data'),
    set: [`serial=[{ name: wind, path: ${JSON.stringify(path)}, baud: 115200, ${settings} }]`],
  });

const polled = { timeout: 20_000, interval: 20 };

test('a gateway with nothing else to do stamps a line when it comes, not when something else happens', async () => {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  await using gateway = await startWithPort(folder.path, terminals.path);
  await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('open');
  // As a device does, and nobody asks the gateway anything meanwhile: that would be something else.
  for (let n = 0; n < 9; n += 1) {
    await terminals.send(`{"sentMs":${Date.now()}}\n`);
    await nodeClock.sleep(PAUSE_MS);
  }
  await expect.poll(async () => (await recordsOf(gateway, 'readings')).length, polled).toBe(9);
  const lateMs = (await recordsOf(gateway, 'readings'))
    .map(({ value, timestampMs }) => timestampMs - (JSON.parse(value) as { sentMs: number }).sentMs)
    .sort((one, other) => one - other);
  // It was half a second, and is one or two milliseconds.
  expect(lateMs[4]).toBeLessThan(100);
});

test('lines from a serial port arrive in order, and the dead letters are exactly the bad ones', async () => {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  await using gateway = await startWithPort(folder.path, terminals.path);
  await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('open');

  const startedMs = Date.now();
  const isBad = (n: number): boolean => n % 97 === 5;
  const lines = Array.from({ length: 2_000 }, (_, n) => (isBad(n) ? `line ${n} is bad` : `{"n":${n}}`));
  await terminals.send(lines.map((line, n) => `${line}${n % 2 === 0 ? '\n' : '\r\n'}`).join(''));
  await expect.poll(async () => (await portOf(gateway))?.frames, polled).toBe(lines.length);

  const good = lines.filter((_, n) => !isBad(n));
  const bad = lines.filter((_, n) => isBad(n));
  await expect.poll(async () => (await recordsOf(gateway, 'readings')).length, polled).toBe(good.length);
  const readings = await recordsOf(gateway, 'readings');
  expect(readings.map(({ value }) => value)).toEqual(good);
  expect(readings.every(({ key, headers }) => key === 'wind' && headers.length === 0)).toBe(true);
  expect(readings.every(({ timestampMs }) => timestampMs >= startedMs && timestampMs <= Date.now())).toBe(
    true,
  );

  const deadLetters = await recordsOf(gateway, 'dead-letters');
  expect(deadLetters.map(({ value }) => value)).toEqual(bad);
  expect(deadLetters[0]).toMatchObject({
    key: 'wind',
    headers: [
      { name: 'reason', value: 'not-json' },
      { name: 'source', value: 'wind' },
    ],
  });

  expect(await portOf(gateway)).toMatchObject({ deadLetters: bad.length, dropped: 0 });
  const metrics = await (await gateway.api('/metrics')).text();
  expect(metrics).toContain('headwater_serial_open{port="wind"} 1');
  expect(metrics).toContain(
    `headwater_serial_dead_letters_total{port="wind",reason="not-json"} ${bad.length}`,
  );
  expect(await gateway.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('a port that is unplugged is read again within 5 s of its return', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startWithPort(folder.path, join(folder.path, 'port'));
  expect(await portOf(gateway)).toMatchObject({ state: 'opening' });
  // A port that is missing from the start, then one that was lost while nothing was sent, then in the middle of a line.
  for (const [round, begun] of ['', '{"cut":'].entries()) {
    await using terminals = await PseudoTerminals.start(folder.path);
    const returnedMs = performance.now();
    await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('open');
    await terminals.send(`{"round":${round}}\n${begun}`);
    await expect.poll(async () => (await recordsOf(gateway, 'readings')).length, polled).toBe(round + 1);
    expect(performance.now() - returnedMs).toBeLessThan(REOPENED_MS_MAX);
    await terminals[Symbol.asyncDispose]();
    await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('lost');
    expect((await statusOf(gateway)).state).toBe('ready');
  }
  await using terminals = await PseudoTerminals.start(folder.path);
  await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('open');
  await terminals.send('{"round":2}\n');
  await expect.poll(async () => (await recordsOf(gateway, 'readings')).length, polled).toBe(3);
  const [deadLetter] = await recordsOf(gateway, 'dead-letters');
  expect(deadLetter).toMatchObject({ value: '{"cut":', headers: [{ value: 'frame-incomplete' }, {}] });
});

test('a port that another gateway has is refused with a reason, and taken when it is free', async () => {
  await using folder = await temporaryFolder();
  await using otherFolder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  await using first = await startWithPort(folder.path, terminals.path);
  await expect.poll(async () => (await portOf(first))?.state, polled).toBe('open');
  await using second = await startWithPort(otherFolder.path, terminals.path);
  await expect
    .poll(async () => (await portOf(second))?.lastError?.message, polled)
    .toContain(`another program has ${terminals.path} open`);
  await first.kill('SIGKILL');
  await expect.poll(async () => (await portOf(second))?.state, polled).toBe('open');
});

test.each([
  ['no-such-port', 'there is no'],
  ['data/admin.token', 'is no serial port'],
])(
  'the wrong port %s is named with what to do, and the gateway serves all the same',
  async (name, reason) => {
    await using folder = await temporaryFolder();
    await using gateway = await startWithPort(folder.path, join(folder.path, name));
    await expect.poll(async () => (await portOf(gateway))?.lastError?.message, polled).toContain(reason);
    expect((await fetch(`http://${gateway.admin}/readyz`)).status).toBe(200);
  },
);

test('a port that is meant by a pattern is found again under another name and number', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startWithPort(folder.path, join(folder.path, 'usb-*'));
  await expect
    .poll(async () => (await portOf(gateway))?.lastError?.message, polled)
    .toContain(`there is no port ${folder.path}/usb-*`);
  const devices: unknown[] = [];
  const others: PseudoTerminals[] = [];
  await using otherFolder = await temporaryFolder();
  for (const [round, name] of ['usb-A', 'usb-B'].entries()) {
    await using terminals = await PseudoTerminals.start(folder.path, name);
    await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('open');
    await terminals.send(`{"round":${round}}\n`);
    await expect.poll(async () => (await recordsOf(gateway, 'readings')).length, polled).toBe(round + 1);
    devices.push((await portOf(gateway))?.device);
    await terminals[Symbol.asyncDispose]();
    await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('lost');
    // The number that it had is taken by another adapter when it returns.
    if (round === 0) others.push(await PseudoTerminals.start(otherFolder.path));
  }
  expect(devices).toEqual([expect.stringMatching('^/dev/pts/'), expect.stringMatching('^/dev/pts/')]);
  expect(devices[1]).not.toBe(devices[0]);
  await Promise.all(others.map((terminals) => terminals[Symbol.asyncDispose]()));
});

test('a device that has to be asked is asked, watched without taking anything from it, and stalled when it is silent', async () => {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  const commands = "commands: { start: ['INIT\\r'], poll: [{ hex: 'FF 01' }], every: 200ms, pause: 0ms }";
  await using gateway = await startWithPort(folder.path, terminals.path, `stalledAfter: 1s, ${commands}`);
  expect(await terminals.received(9)).toBe('INIT\r\xff\x01\xff\x01');

  const sniffing = headwaterProcess(gateway.dataDir, [
    ...['serial', 'sniff', 'wind', '--frames', '2', '--json'],
    ...['--set', `serial=[{ name: wind, path: ${JSON.stringify(terminals.path)}, baud: 115200 }]`],
  ]);
  const isOver = sniffing.then(() => true);
  let sent = 0;
  while (!(await Promise.race([isOver, terminals.received(2).then(() => false)]))) {
    await terminals.send(`{"n":${sent}}\n`);
    sent += 1;
  }
  const { code, output } = await sniffing;
  expect(code).toBe(0);
  const events = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PortEventJson);
  expect(events[0]).toMatchObject({ kind: 'state', state: 'open' });
  expect(events.filter(({ kind }) => kind === 'frame').map(({ value }) => value)).toHaveLength(2);
  expect(events.filter(({ kind }) => kind === 'sent').map(({ hex }) => hex)).toContain('ff01');
  await expect.poll(async () => (await recordsOf(gateway, 'readings')).length, polled).toBe(sent);

  await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('stalled');
  const metrics = await (await gateway.api('/metrics')).text();
  expect(metrics).toContain('headwater_serial_stalled{port="wind"} 1');
  await terminals.send('{"n":-1}\n');
  await expect.poll(async () => (await portOf(gateway))?.state, polled).toBe('open');
});
