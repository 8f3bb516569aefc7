import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SerialDevice } from '../../../src/core/serial-device.ts';
import {
  type NamedWish,
  type PortWish,
  pathsOf,
  portLocator,
  selectPort,
  wishText,
} from '../../../src/ingest/wired/port-selection.ts';

const byId = '/dev/serial/by-id/usb-FTDI_A1-port0';

const ftdi = (number: number, serial: string): SerialDevice => ({
  path: `/dev/ttyUSB${number}`,
  links: [`/dev/serial/by-id/usb-FTDI_${serial}-port0`, `/dev/serial/by-path/usb-0:1.${number}`],
  usb: { vendor: '0403', product: '6001', serial, maker: 'FTDI' },
});

const cheap = (number: number): SerialDevice => ({
  path: `/dev/ttyUSB${number}`,
  links: [`/dev/serial/by-path/usb-0:1.${number}`],
  usb: { vendor: '1a86', product: '7523', serial: null, maker: null },
});

const uart: SerialDevice = { path: '/dev/ttyAMA0', links: [], usb: null };

const named = (wishes: readonly PortWish[]) =>
  wishes.map((wish, index): NamedWish => ({ kind: 'serial', name: `port${index}`, wish }));
const selectAt = (ports: readonly NamedWish[], index: number, devices: readonly SerialDevice[]) =>
  selectPort(ports, ports[index] ?? { kind: 'serial', name: '' }, devices);
const select = (wish: PortWish, devices: readonly SerialDevice[]) => selectAt(named([wish]), 0, devices);
const anyFtdi = { usb: { vendor: '0403', product: '6001' } };
const anyCheap = { usb: { vendor: '1a86', product: '7523' } };

/** The same ports, those at the given places as Modbus buses. */
const withBuses = (ports: readonly NamedWish[], isBus: (index: number) => boolean): readonly NamedWish[] =>
  ports.map((port, index) => (isBus(index) ? { ...port, kind: 'modbus', name: `bus${index}` } : port));

describe('the port that is opened', () => {
  test('is a path as it is written, there or not: an attempt to open it tells what is wrong', () => {
    expect(select({ path: byId }, [ftdi(3, 'A1')])).toEqual({ path: byId, device: '/dev/ttyUSB3' });
    expect(select({ path: byId }, [])).toEqual({ path: byId, device: byId });
  });

  test.each([
    [{ path: '/dev/serial/by-id/usb-FTDI*' }],
    [{ path: '/dev/ttyUSB*' }],
    [anyFtdi],
    [{ usb: { vendor: '0403', product: '6001', serial: 'A1' } }],
  ])('is the one device that %j stands for, whatever its number is now', (wish) => {
    for (const number of [0, 7])
      expect(select(wish, [uart, ftdi(number, 'A1')])).toEqual({
        path: `/dev/ttyUSB${number}`,
        device: `/dev/ttyUSB${number}`,
      });
  });

  test.each([
    [
      { path: '/dev/serial/by-id/usb-Arduino*' },
      'there is no port /dev/serial/by-id/usb-Arduino*',
      'serial.path',
    ],
    [anyCheap, 'there is no port usb 1a86:7523', 'serial.usb'],
    [
      { usb: { vendor: '0403', product: '6001', serial: 'B2' } },
      'there is no port usb 0403:6001 serial B2',
      'serial.usb',
    ],
  ])('is none without a device for %j, with what to do', (wish, problem, setting) => {
    const selection = select(wish, [uart, ftdi(0, 'A1')]);
    expect(selection).toEqual({ problem: expect.stringContaining(problem) });
    expect(selection).toEqual({ problem: expect.stringContaining(`correct ${setting}`) });
  });

  test('is never one of several by chance: they are named by what tells them apart', () => {
    expect(select(anyCheap, [cheap(0), cheap(1)])).toEqual({
      problem:
        'usb 1a86:7523 stands for several ports. Write one of them as serial.path: /dev/serial/by-path/usb-0:1.0, /dev/serial/by-path/usb-0:1.1',
    });
    expect(select(anyFtdi, [ftdi(0, 'A1'), ftdi(1, 'B2')])).toEqual({
      problem: expect.stringContaining('; or add its serial number to serial.usb: A1, B2'),
    });
    const many = Array.from({ length: 9 }, (_, number) => cheap(number));
    expect(select({ path: '/dev/ttyUSB*' }, many)).toEqual({
      problem: expect.stringMatching(/usb-0:1\.3 and others$/),
    });
  });

  test('is not what another port is named for more precisely', () => {
    const ports = named([anyFtdi, { usb: { vendor: '0403', product: '6001', serial: 'B2' } }]);
    const both = [ftdi(0, 'A1'), ftdi(1, 'B2')];
    expect(selectAt(ports, 0, both)).toMatchObject({ path: '/dev/ttyUSB0' });
    expect(selectAt(ports, 1, both)).toMatchObject({ path: '/dev/ttyUSB1' });
    // Its own adapter is gone: it does not take the other one.
    expect(selectAt(ports, 0, [ftdi(1, 'B2')])).toEqual({
      problem: expect.stringContaining('stands for /dev/ttyUSB1, which is the port port1 already'),
    });
  });

  test('is not what a port before it stands for as precisely, by another name of the same device', () => {
    const ports = named([{ path: '/dev/ttyUSB0' }, { path: byId }]);
    expect(selectAt(ports, 0, [ftdi(0, 'A1')])).toMatchObject({ path: '/dev/ttyUSB0' });
    expect(selectAt(ports, 1, [ftdi(0, 'A1')])).toEqual({
      problem: expect.stringContaining('which is the port port0 already'),
    });
    expect(selectAt(ports, 1, [ftdi(1, 'A1')])).toMatchObject({ device: '/dev/ttyUSB1' });
  });

  test('is not what a port of the other kind stands for, whether that is named more precisely or before it', () => {
    const serial = { usb: { vendor: '0403', product: '6001', serial: 'B2' } };
    const ports = withBuses(named([anyFtdi, serial, anyCheap, { path: '/dev/ttyUSB*' }]), (at) => at !== 1);
    const both = [ftdi(0, 'A1'), ftdi(1, 'B2')];
    expect(selectAt(ports, 0, both)).toMatchObject({ path: '/dev/ttyUSB0' });
    expect(selectAt(ports, 0, [ftdi(1, 'B2')])).toEqual({
      problem: expect.stringContaining('which is the port port1 already. Give each of them its own'),
    });
    expect(selectAt(ports, 3, [cheap(4)])).toEqual({
      problem: expect.stringContaining('stands for /dev/ttyUSB4, which is the port of the Modbus bus bus2'),
    });
    const twoPaths = withBuses(named([{ path: '/dev/ttyUSB0' }, { path: byId }]), (at) => at === 1);
    expect(selectAt(twoPaths, 0, [ftdi(0, 'A1')])).toMatchObject({ path: '/dev/ttyUSB0' });
    expect(selectAt(twoPaths, 1, [ftdi(0, 'A1')])).toEqual({
      problem: expect.stringContaining('which is the port port0 already'),
    });
  });

  test('of a Modbus bus is corrected in its own section', () => {
    const bus = (wish: PortWish) => withBuses(named([wish]), () => true);
    expect(selectAt(bus(anyCheap), 0, [])).toEqual({
      problem: expect.stringContaining('correct modbus.port.usb'),
    });
    expect(selectAt(bus({ path: '/dev/ttyS*' }), 0, [])).toEqual({
      problem: expect.stringContaining('correct modbus.port.path'),
    });
    expect(selectAt(bus(anyFtdi), 0, [ftdi(0, 'A1'), ftdi(1, 'B2')])).toEqual({
      problem: expect.stringMatching(/as modbus\.port\.path: .*serial number to modbus\.port\.usb: A1, B2$/),
    });
  });

  test('is looked for anew each time, by the paths of all ports', async () => {
    const asked: (readonly string[])[] = [];
    let number = 0;
    const ports = withBuses(named([{ path: '/dev/air' }, anyFtdi]), (at) => at === 1);
    const locate = portLocator(ports, (paths) => {
      asked.push(paths);
      return Promise.resolve([ftdi(number, 'A1')]);
    });
    for (number of [0, 7])
      expect(await locate({ kind: 'modbus', name: 'bus1' })).toMatchObject({
        device: `/dev/ttyUSB${number}`,
      });
    expect(asked).toEqual([['/dev/air'], ['/dev/air']]);
  });
});

test('whatever is configured and plugged in, no two ports of either kind take one device', () => {
  const wish = fc.constantFrom<PortWish>(
    { path: '/dev/ttyUSB0' },
    { path: '/dev/ttyUSB*' },
    { path: byId },
    { path: '/dev/serial/by-path/*' },
    anyFtdi,
    { usb: { vendor: '0403', product: '6001', serial: 'A1' } },
    anyCheap,
  );
  const device = fc.constantFrom('A1', 'B2', null);
  fc.assert(
    fc.property(
      fc.array(wish, { maxLength: 5 }),
      fc.nat(5),
      fc.array(device, { maxLength: 4 }),
      (wishes, buses, plugged) => {
        const ports = withBuses(named(wishes), (index) => index >= wishes.length - buses);
        const devices = plugged.map((serial, number) =>
          serial === null ? cheap(number) : ftdi(number, serial),
        );
        const taken = wishes.flatMap((_, index) => {
          const selection = selectAt(ports, index, devices);
          return 'device' in selection && devices.some(({ path }) => path === selection.device)
            ? [selection.device]
            : [];
        });
        expect(new Set(taken).size).toBe(taken.length);
      },
    ),
  );
});

test('a wish is called by its path or its numbers', () => {
  const ports = named([{ path: byId }, { usb: { vendor: '0403', product: '6001', serial: 'A1' } }]);
  expect(ports.map(({ wish }) => wishText(wish))).toEqual([byId, 'usb 0403:6001 serial A1']);
  expect(pathsOf(ports)).toEqual([byId]);
});
