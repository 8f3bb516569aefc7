import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import type { NewRecord } from '../../../src/core/record.ts';
import type { SerialDevice } from '../../../src/core/serial-device.ts';
import type { BusSettings } from '../../../src/ingest/modbus/bus.ts';
import { ModbusSource } from '../../../src/ingest/modbus/modbus-source.ts';
import type { ModbusUnit } from '../../../src/ingest/modbus/poll-record.ts';
import { register } from '../../../src/ingest/modbus/register.ts';
import { portLocator } from '../../../src/ingest/wired/port-selection.ts';
import { SimModbusBus } from '../../support/sim-modbus-bus.ts';
import { until, VirtualClock } from '../../support/virtual-time.ts';
import { CountingMetrics, KeepingLogger } from '../mqtt/harness.ts';

const meter: ModbusUnit = {
  name: 'meter',
  unit: 1,
  topic: 'readings',
  intervalMs: 1000,
  registers: [
    register({ name: 'power', address: 10, type: 'i16' }),
    register({ name: 'voltage', address: 0, scale: 0.1 }),
    register({ name: 'energy', address: 2, type: 'u32' }),
  ],
};
const climate: ModbusUnit = {
  name: 'climate',
  unit: 2,
  topic: 'climate',
  intervalMs: 1000,
  registers: [register({ name: 'temperature', address: 1, kind: 'input', type: 'i16', scale: 0.1 })],
};
const rtu: BusSettings = { kind: 'rtu', wish: { path: '/dev/bus' }, baud: 9600, parity: 'none', stopBits: 1 };
const meterRegisters = { 0: 2301, 1: 0, 2: 1, 3: 2, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0, 10: 0xfffe };

let clock: VirtualClock;
let bus: SimModbusBus;
let metrics: CountingMetrics;
let logger: KeepingLogger;
let records: NewRecord[];
let refusal: OperatingError | null;
let devices: readonly SerialDevice[];
let source: ModbusSource;

function start(units: readonly ModbusUnit[] = [meter, climate], settings = rtu): void {
  const port = { kind: 'modbus', name: 'plant' } as const;
  const wishes = settings.kind === 'rtu' ? [{ ...port, wish: settings.wish }] : [];
  const locate = portLocator(wishes, () => Promise.resolve(devices));
  source = ModbusSource.start({
    name: 'plant',
    settings,
    locate: () => locate(port),
    timeoutMs: 200,
    retries: 1,
    units,
    open: bus.open,
    accept: async (offered) => {
      await Promise.resolve();
      if (refusal !== null) throw refusal;
      records.push(...offered);
    },
    clock,
    logger,
    metrics,
  });
}

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();
const readings = (key: string): string[] =>
  records
    .filter((record) => record.topic !== 'dead-letters' && textOf(record.key) === key)
    .map(({ value }) => textOf(value));
const letters = () => records.filter(({ topic }) => topic === 'dead-letters');
const reasonOf = ({ headers }: NewRecord): string =>
  textOf(headers.find(({ name }) => name === 'reason')?.value);
const has = (key: string, count: number) =>
  until(`${count} readings of ${key}`, () => readings(key).length >= count);

beforeEach(() => {
  clock = new VirtualClock();
  bus = new SimModbusBus(clock);
  bus.addUnit(1, meterRegisters);
  bus.addUnit(2, { 1: 0xff9c });
  metrics = new CountingMetrics();
  logger = new KeepingLogger();
  records = [];
  refusal = null;
  devices = [];
});

afterEach(async () => {
  refusal = null;
  await source.stop();
  expect(bus.isOpen).toBe(false);
  expect(bus.concurrentMax).toBeLessThanOrEqual(1);
});

describe('a Modbus bus', () => {
  test('makes a record of each poll: key, value, time, topic', async () => {
    start();
    await has('meter', 2);
    await has('climate', 1);
    const [first] = records;
    expect(first).toMatchObject({ topic: 'readings', headers: [] });
    expect(textOf(first?.key)).toBe('meter');
    expect(textOf(first?.value)).toBe('{"power":-2,"voltage":230.1,"energy":65538}');
    expect(records.find(({ topic }) => topic === 'climate')).toBeDefined();
    expect(readings('climate')[0]).toBe('{"temperature":-10}');
    expect(source.status()).toMatchObject({
      name: 'plant',
      place: '/dev/bus',
      device: '/dev/bus',
      state: 'open',
      dropped: 0,
      lastError: null,
      units: [
        { name: 'meter', unit: 1, state: 'answering', failing: [] },
        { name: 'climate', unit: 2, state: 'answering', failing: [] },
      ],
    });
    expect(metrics.value('headwater_modbus_unit_answering', { unit: 'climate' })).toBe(1);
    expect(metrics.value('headwater_records_accepted_total', { source: 'modbus' })).toBeGreaterThanOrEqual(3);
  });

  test('reads on while a unit is silent, says so once, and says when it answers again', async () => {
    const silent = bus.units.get(1);
    if (silent !== undefined) silent.fault = 'silent';
    start();
    await has('climate', 100);
    expect(readings('meter')).toEqual([]);
    expect(source.status().units[0]).toMatchObject({ state: 'silent', records: 0 });
    // Asked more and more seldom: some requests in a hundred polls of its neighbour.
    expect(bus.requests.filter(({ unit }) => unit === 1).length).toBeLessThan(12);
    expect(logger.lines.filter((line) => line.includes('does not answer'))).toHaveLength(1);
    expect(letters().every((letter) => reasonOf(letter) === 'timeout')).toBe(true);
    if (silent !== undefined) silent.fault = null;
    await has('meter', 1);
    expect(source.status().units[0]).toMatchObject({ state: 'answering', failing: [] });
  });

  test('names the one register that a device does not have, and keeps the others', async () => {
    bus.units.get(1)?.registers.delete(10);
    start();
    await has('meter', 3);
    expect(new Set(readings('meter'))).toEqual(new Set(['{"voltage":230.1,"energy":65538}']));
    expect(source.status().units[0]?.failing).toMatchObject([{ register: 'power', reason: 'exception-2' }]);
    const labels = { unit: 'meter', register: 'power', reason: 'exception-2' };
    expect(metrics.value('headwater_modbus_register_failures_total', labels)).toBeGreaterThanOrEqual(3);
    expect(logger.lines.filter((line) => line.includes('gives no value of power'))).toHaveLength(1);
    const [letter] = letters();
    expect(letter === undefined ? '' : reasonOf(letter)).toBe('exception-2');
    expect(JSON.parse(textOf(letter?.value))).toMatchObject({
      unit: 1,
      kind: 'holding',
      address: 10,
      count: 1,
      registers: ['power'],
    });
  });

  test.each([
    ['garbled', 'garbled'],
    ['short', 'wrong-length'],
    [{ exception: 4 }, 'exception-4'],
    [{ exception: 11 }, 'exception-11'],
  ] as const)('reports %o as %s', async (fault, reason) => {
    const unit = bus.units.get(1);
    if (unit !== undefined) unit.fault = fault;
    start([meter]);
    await until('a dead letter', () => letters().length > 0);
    expect(letters().map(reasonOf)[0]).toBe(reason);
    expect(readings('meter')).toEqual([]);
  });

  test.each([205, 249, 251, 300, 450, 700, 1000, 1199])(
    'never takes an answer that comes after %i ms for that to another request',
    async (lateMs) => {
      const meter = bus.addUnit(1, { 0: 11, 100: 99, 200: 55 });
      const registers = [register({ name: 'a', address: 0 }), register({ name: 'b', address: 100 })];
      const shared = {
        ...climate,
        name: 'shared',
        unit: 1,
        registers: [register({ name: 'c', address: 200 })],
      };
      start([{ ...climate, name: 'meter', unit: 1, registers }, shared]);
      await has('meter', 2);
      meter.delaysMs.push(lateMs);
      await has('meter', 4);
      meter.delaysMs.push(lateMs, lateMs);
      await has('meter', 6);
      meter.delaysMs.push(5, lateMs);
      await has('meter', 12);
      await has('shared', 6);
      const values = new Set(readings('meter'));
      expect(values).toContain('{"a":11,"b":99}');
      for (const value of values) expect(['{"a":11,"b":99}', '{"b":99}', '{"a":11}']).toContain(value);
      expect(new Set(readings('shared'))).toEqual(new Set(['{"c":55}']));
    },
  );

  test('keeps so many dead letters in an hour, and one tells of those left out: in the next hour, and at a stop', async () => {
    const unit = bus.units.get(2);
    if (unit !== undefined) unit.fault = { exception: 4 };
    start([climate]);
    const labels = { unit: 'climate', register: 'temperature', reason: 'exception-4' };
    const failures = (): number => metrics.value('headwater_modbus_register_failures_total', labels);
    const most = limits.modbusDeadLettersPerHourMax;
    await until('more failures than letters', () => failures() > most);
    expect(letters()).toHaveLength(most);
    await until('the next hour', () => letters().length > most + 1);
    expect(
      letters()
        .slice(most, most + 2)
        .map(reasonOf),
    ).toEqual(['dead-letters-left-out', 'exception-4']);
    const [first, told, next] = [0, most, most + 1].map((at) => letters()[at]);
    expect(textOf(told?.key)).toBe('plant');
    expect((next?.receivedMs ?? 0) - (first?.receivedMs ?? 0)).toBeGreaterThanOrEqual(
      limits.deadLetterHourMs,
    );
    const before = failures();
    await until('more failures than letters again', () => failures() > before + most);
    await source.stop();
    expect(letters().map(reasonOf).at(-1)).toBe('dead-letters-left-out');
    const counts = letters()
      .filter((letter) => reasonOf(letter) === 'dead-letters-left-out')
      .map((letter): number => JSON.parse(textOf(letter.value)).leftOut['exception-4']);
    expect(counts).toHaveLength(2);
    expect(counts.reduce((sum, count) => sum + count, 2 * most)).toBe(failures());
  });

  test('opens a bus that is missing or lost again and again, and keeps what a poll had brought', async () => {
    bus.isPlugged = false;
    start();
    await until('many attempts', () => bus.attempts > 20);
    expect(source.status()).toMatchObject({
      state: 'opening',
      lastError: { message: expect.stringContaining('there is no /dev/bus') },
    });
    bus.isPlugged = true;
    await has('meter', 1);
    bus.unplug();
    await until('the loss is noticed', () => source.status().state === 'lost');
    expect(metrics.value('headwater_modbus_open', { bus: 'plant' })).toBe(0);
    const before = readings('meter').length;
    bus.isPlugged = true;
    await has('meter', before + 1);
    expect(bus.opens).toBe(2);
  });

  test('is found again under another number, and tried while nothing stands for it', async () => {
    const wish = { usb: { vendor: '0403', product: '6001' } };
    start([climate], { ...rtu, wish });
    const absence = 'plant is tried again and again: there is no port usb 0403:6001. Plug the device in, or';
    const isAbsent = () => source.status().lastError?.message.includes(absence) === true;
    await until('attempts', () => isAbsent() && clock.sleeps.length > 3);
    expect(source.status()).toMatchObject({ place: 'usb 0403:6001', device: null, state: 'opening' });
    for (const path of ['/dev/ttyUSB0', '/dev/ttyUSB3']) {
      bus.isPlugged = true;
      devices = [{ path, links: [], usb: { ...wish.usb, serial: null, maker: null } }];
      await has('climate', readings('climate').length + 1);
      expect([bus.place, source.status().device]).toEqual([path, path]);
      devices = [];
      bus.unplug();
      await until('the loss is noticed', () => source.status().state === 'lost' && isAbsent());
      expect(source.status().device).toBe(path);
    }
    expect(bus.attempts).toBe(2);
  });

  test('is not opened any more when it is stopped while it is looked for', async () => {
    start();
    await source.stop();
    expect(bus.attempts).toBe(0);
  });

  test('takes a TCP connection that answers nothing for dead, and opens another one', async () => {
    for (const unit of bus.units.values()) unit.fault = 'silent';
    start([meter, climate], { kind: 'tcp', host: 'meter.lan', port: 502 });
    await until('another connection', () => bus.opens > 1);
    expect(source.status().lastError?.message).toContain('meter.lan:502');
    expect(source.status()).toMatchObject({ place: 'meter.lan:502', device: null });
  });

  test('counts what the log has not taken until a stop as dropped', async () => {
    refusal = new OperatingError('log-unavailable', 'the disk does not answer');
    start([climate]);
    await until('a refusal', () => source.status().lastError !== null);
    await source.stop();
    const { dropped, units } = source.status();
    expect(dropped).toBe(units[0]?.records);
    expect(dropped).toBeGreaterThan(0);
    expect(metrics.value('headwater_modbus_dropped_total', { bus: 'plant' })).toBe(dropped);
    expect(logger.lines.at(-1)).toContain(`"records":${dropped}`);
  });

  test('keeps readings while the log refuses, and drops the oldest when there is no more room, saying how many', async () => {
    refusal = new OperatingError('log-unavailable', 'the disk does not answer');
    start([climate]);
    await until('dropped readings', () => source.status().dropped > 0, 20_000);
    const { dropped } = source.status();
    refusal = null;
    await until('what is left', () => records.length > 0);
    const [letter] = letters();
    expect(letter === undefined ? '' : reasonOf(letter)).toBe('records-dropped');
    expect(JSON.parse(textOf(letter?.value)).dropped).toBeGreaterThanOrEqual(dropped);
  });
});
