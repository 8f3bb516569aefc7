import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpath, symlink } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { INSTALL_MS_MAX, pythonEnvironment } from './python-environment.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

let python = '';

beforeAll(async () => {
  const environment = await pythonEnvironment(fileOf('modbus-requirements.txt'));
  python = environment.python;
  return () => environment.remove();
}, INSTALL_MS_MAX);

/** The server of pymodbus; disposing of it is pulling its plug. */
class MeterProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(kind: 'serial' | 'tcp', where: string): Promise<MeterProcess> {
    const child = spawn(python, [fileOf('modbus_server.py'), kind, where], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface(child.stdout), 'line');
    return new MeterProcess(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

interface JsonRecord {
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

async function recordsOf(
  gateway: RunningGateway,
  topic: string,
  key: string,
): Promise<readonly JsonRecord[]> {
  const answer = await gateway.api(`/api/records?topic=${topic}&partition=0&offset=0`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as JsonRecord).filter((record) => record.key === key);
}

async function busOf(gateway: RunningGateway) {
  const report = (await (await gateway.api('/api/status')).json()) as StatusReport;
  const [bus] = report.modbus;
  if (bus === undefined) throw new Error('there is no bus');
  return bus;
}

const unitOf = async (gateway: RunningGateway, unit: string) =>
  (await busOf(gateway)).units.find(({ name }) => name === unit);

/** A meter, a unit that is silent, and the meter once more with registers that it does not have. */
const startWithBus = (dataDir: string, where: string): Promise<RunningGateway> =>
  startGateway({
    dataDir,
    set: [
      `modbus=[{ name: cabinet, ${where}, timeout: 200ms, units: [
        { name: meter, unit: 1, every: 100ms, map: sdm120 },
        { name: silent, unit: 2, every: 100ms, map: xy-md02 },
        { name: wrong, unit: 1, every: 100ms, registers: [
          { name: voltage, address: 0, kind: input, type: float32, unit: V },
          { name: nothing, address: 33 } ] } ] }]`.replaceAll(/\s+/g, ' '),
    ],
  });

const polled = { timeout: 20_000, interval: 20 };

/** What holds of either kind of bus. */
async function showsTheMeterAndWhatFails(gateway: RunningGateway): Promise<void> {
  const startedMs = Date.now();
  await expect
    .poll(async () => (await recordsOf(gateway, 'readings', 'meter')).length, polled)
    .toBeGreaterThan(15);
  const [record] = await recordsOf(gateway, 'readings', 'meter');
  expect(JSON.parse(record?.value ?? '')).toEqual({
    voltage: 230.1,
    current: 1.25,
    power: -287.5,
    apparentPower: 0,
    reactivePower: 0,
    powerFactor: 0.98,
    frequency: 50.02,
    importEnergy: 1234.5,
    exportEnergy: 0,
    importReactiveEnergy: 0,
    exportReactiveEnergy: 0,
    totalEnergy: 1234.5,
    totalReactiveEnergy: 0,
  });
  expect(record?.timestampMs).toBeGreaterThan(startedMs - 20_000);
  expect(record?.timestampMs).toBeLessThanOrEqual(Date.now());

  await expect.poll(async () => (await unitOf(gateway, 'silent'))?.state, polled).toBe('silent');
  expect(await recordsOf(gateway, 'readings', 'silent')).toEqual([]);
  const reasons = async (unit: string) =>
    (await recordsOf(gateway, 'dead-letters', unit)).map(({ headers }) => headers[0]?.value);
  expect(new Set(await reasons('silent'))).toEqual(new Set(['timeout']));

  const failing = { register: 'nothing', reason: 'exception-2' };
  await expect.poll(async () => (await unitOf(gateway, 'wrong'))?.failing, polled).toMatchObject([failing]);
  const wrong = await recordsOf(gateway, 'readings', 'wrong');
  expect(new Set(wrong.map(({ value }) => value))).toEqual(new Set(['{"voltage":230.1}']));
  expect(new Set(await reasons('wrong'))).toEqual(new Set(['exception-2']));
  const metrics = await (await gateway.api('/metrics')).text();
  expect(metrics).toMatch(
    /headwater_modbus_register_failures_total\{unit="wrong",register="nothing",reason="exception-2"\} \d/,
  );
  expect(metrics).toContain('headwater_modbus_unit_answering{unit="silent"} 0');
}

/** The meter is asked again, and answers. */
async function answersAgain(gateway: RunningGateway): Promise<void> {
  const before = (await recordsOf(gateway, 'readings', 'meter')).length;
  await expect
    .poll(async () => (await recordsOf(gateway, 'readings', 'meter')).length, polled)
    .toBeGreaterThan(before);
  await expect.poll(async () => (await unitOf(gateway, 'meter'))?.state, polled).toBe('answering');
}

describe('a server of pymodbus', () => {
  test('is read by the serial port that fits, beside a silent unit, and again after it was killed', async () => {
    await using folder = await temporaryFolder();
    await using terminals = await PseudoTerminals.start(folder.path, 'adapter-0');
    const pattern = join(folder.path, 'adapter-*');
    const device = join(folder.path, 'device');
    await using meter = await MeterProcess.start('serial', device);
    await using gateway = await startWithBus(
      join(folder.path, 'data'),
      `port: { path: ${JSON.stringify(pattern)}, baud: 115200 }`,
    );
    await showsTheMeterAndWhatFails(gateway);
    await meter[Symbol.asyncDispose]();
    await expect.poll(async () => (await unitOf(gateway, 'meter'))?.state, polled).toBe('silent');
    await using again = await MeterProcess.start('serial', device);
    await answersAgain(gateway);
    await again[Symbol.asyncDispose]();

    // The adapter is pulled out; the number that it had is taken by another one when it returns.
    const deviceBefore = (await busOf(gateway)).device;
    await terminals[Symbol.asyncDispose]();
    await expect.poll(async () => (await busOf(gateway)).state, polled).toBe('lost');
    await using otherFolder = await temporaryFolder();
    await using other = await PseudoTerminals.start(otherFolder.path);
    await using anotherFolder = await temporaryFolder();
    await using another = await PseudoTerminals.start(anotherFolder.path);
    // Who else uses pseudo-terminals may have taken the number, or not.
    const hasSameNumber = (await realpath(other.path)) === deviceBefore;
    const returned = await realpath(hasSameNumber ? another.path : other.path);
    const returnedFolder = hasSameNumber ? anotherFolder.path : otherFolder.path;
    await symlink(returned, join(folder.path, 'adapter-1'));
    await using last = await MeterProcess.start('serial', join(returnedFolder, 'device'));
    await answersAgain(gateway);
    expect(await busOf(gateway)).toMatchObject({ place: pattern, device: returned });
    expect(returned).not.toBe(deviceBefore);
    expect(await gateway.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await last[Symbol.asyncDispose]();
    await another[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  test('is read by TCP, beside a silent unit, and again after it was killed', async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    await using meter = await MeterProcess.start('tcp', `${port}`);
    await using gateway = await startWithBus(join(folder.path, 'data'), `tcp: 127.0.0.1:${port}`);
    await showsTheMeterAndWhatFails(gateway);
    await meter[Symbol.asyncDispose]();
    await expect.poll(async () => (await busOf(gateway)).state, polled).toBe('lost');
    await using again = await MeterProcess.start('tcp', `${port}`);
    await answersAgain(gateway);
    expect(await gateway.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await again[Symbol.asyncDispose]();
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
