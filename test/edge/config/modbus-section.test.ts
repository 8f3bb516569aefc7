import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import { modbusSeriesRules } from '../../../src/edge/modbus-buses.ts';
import { registerMaps } from '../../../src/ingest/modbus/maps/register-maps.ts';

const read = (buses: string, more = '') =>
  readConfig({
    file: { name: 'hw.yaml', text: `modbus: [${buses}]\n${more}` },
    sets: [],
    workingDirectory: '/site',
    hostName: 'h',
  });

function busesOf(buses: string) {
  const result = read(buses);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config.modbus;
}

function problemsOf(buses: string, more = ''): string {
  const result = read(buses, more);
  return 'problems' in result ? result.problems.join('\n') : '';
}

const port = 'port: { path: /dev/ttyUSB0, baud: 9600 }';
const usbPort = (vendor: string): string =>
  `port: { usb: { vendor: ${vendor}, product: '7523' }, baud: 9600 }`;
const units = 'units: [{ name: meter, unit: 1, map: sdm120 }]';
const withRegister = (register: string): string =>
  `{ name: b, ${port}, units: [{ name: u, unit: 1, registers: [${register}] }] }`;

describe('a Modbus bus', () => {
  test('advises settings of its own where a name is known in other sections as well', () => {
    expect(problemsOf(`{ name: b, path: /dev/x, ${units} }`)).toMatch(
      /modbus\.0\.path: unknown setting; did you mean modbus\.\*\.port\.path\?/,
    );
  });

  test('needs a name, a port and units; the rest has defaults', () => {
    expect(busesOf(`{ name: cabinet, ${port}, ${units} }`)).toEqual([
      {
        name: 'cabinet',
        settings: { kind: 'rtu', wish: { path: '/dev/ttyUSB0' }, baud: 9600, parity: 'none', stopBits: 1 },
        timeoutMs: 500,
        retries: 1,
        units: [
          { name: 'meter', unit: 1, topic: 'readings', intervalMs: 10_000, registers: registerMaps.sdm120 },
        ],
      },
    ]);
  });

  test('may be meant by a pattern, or by what lsusb shows', () => {
    const wishOf = (written: string) => {
      const [bus] = busesOf(`{ name: b, port: { ${written}, baud: 9600 }, ${units} }`);
      return bus?.settings.kind === 'rtu' ? bus.settings.wish : null;
    };
    expect(wishOf('path: /dev/serial/by-id/usb-FTDI*')).toEqual({ path: '/dev/serial/by-id/usb-FTDI*' });
    expect(wishOf("usb: { vendor: '1A86', product: '7523' }")).toEqual({
      usb: { vendor: '1a86', product: '7523' },
    });
    expect(wishOf("usb: { vendor: '0403', product: '6001', serial: A1B2 }")).toEqual({
      usb: { vendor: '0403', product: '6001', serial: 'A1B2' },
    });
  });

  test('is somewhere on the network if it says so', () => {
    const [bus] = busesOf(
      `{ name: roof, tcp: 'meter.lan:502', units: [{ name: m, unit: 255, map: xy-md02 }] }`,
    );
    expect(bus?.settings).toEqual({ kind: 'tcp', host: 'meter.lan', port: 502 });
  });

  test('has registers with the defaults of their kind', () => {
    const [bus] = busesOf(withRegister('{ name: a, address: 3 }, { name: b, address: 9, kind: coil }'));
    expect(bus?.units[0]?.registers).toMatchObject([
      { name: 'a', kind: 'holding', type: 'u16', order: 'ABCD', scale: 1, offset: 0, unit: null },
      { name: 'b', kind: 'coil', type: 'bit' },
    ]);
  });

  test.each([
    [`{ name: b, ${units} }`, 'modbus.0.port: write a serial port here, or tcp: host:port'],
    [`{ name: b, ${port}, tcp: 'x:502', ${units} }`, 'modbus.0.tcp: write port or tcp, not both'],
    [`{ name: b, tcp: 'x:0', ${units} }`, 'modbus.0.tcp: write the port of the device'],
    [`{ name: b, ${port}, units: [] }`, 'modbus.0.units: write one unit at least'],
    [
      `{ name: b, ${port}, units: [{ name: u, unit: 0, map: sdm120 }] }`,
      'modbus.0.units.0.unit: write a number from 1 to 247',
    ],
    [
      `{ name: b, ${port}, units: [{ name: u, unit: 1 }] }`,
      'modbus.0.units.0.map: write what to read: one of sdm120',
    ],
    [
      `{ name: b, ${port}, units: [{ name: u, unit: 1, map: sdm999 }] }`,
      'write one of sdm120, sdm630, xy-md02',
    ],
    [
      `{ name: b, ${port}, units: [{ name: u, unit: 1, map: sdm120, registers: [{ name: a, address: 1 }] }] }`,
      'modbus.0.units.0.registers: write map or registers, not both',
    ],
    [
      `{ name: b, ${port}, units: [{ name: u, unit: 1, map: sdm120, topic: gaps }] }`,
      'modbus.0.units.0.topic: write the name of a topic that is not one of the gateway itself',
    ],
    [
      withRegister('{ name: a, address: 1 }, { name: a, address: 2 }'),
      'registers.1.name: write another name than that of registers.0',
    ],
    [withRegister('{ name: a.b, address: 1 }'), 'registers.0.name: write 1 to 64 letters'],
    [
      withRegister('{ name: a, address: 1, kind: coil, type: u16 }'),
      'registers.0.type: write bit, or remove it',
    ],
    [
      withRegister('{ name: a, address: 1, type: string, scale: 2 }'),
      'registers.0.scale: remove it, or write the type of a number',
    ],
    [withRegister('{ name: a, address: 1, bit: 2 }'), 'registers.0.bit: remove it, or write type: bit'],
    [
      withRegister('{ name: a, address: 1, length: 2 }'),
      'registers.0.length: remove it, or write type: string',
    ],
    [
      withRegister('{ name: a, address: 1, type: string, order: CDAB }'),
      'registers.0.order: remove it, or write ABCD or BADC',
    ],
    [withRegister('{ name: a, address: 65535, type: u32 }'), 'registers.0.address: write a lower one'],
    [
      `{ name: b, ${port}, ${units} }, { name: b, tcp: 'x:1', ${units} }`,
      'modbus.1.name: write another name than that of modbus.0',
    ],
    [
      `{ name: b, ${port}, ${units} }, { name: c, tcp: 'x:1', ${units} }`,
      'modbus.1.units.0.name: write another name than that of modbus.0.units.0',
    ],
    [
      `{ name: b, ${port}, ${units} }, { name: c, ${port}, units: [{ name: n, unit: 2, map: sdm120 }] }`,
      'modbus.1.port.path: write another path than that of modbus.0',
    ],
    [
      `{ name: b, ${usbPort("'1A86'")}, ${units} }, { name: c, ${usbPort("'1a86'")}, units: [{ name: n, unit: 2, map: sdm120 }] }`,
      'modbus.1.port.usb: write another usb than that of modbus.0',
    ],
    [
      `{ name: b, port: { baud: 9600 }, ${units} }`,
      'modbus.0.port.path: write the path of a serial port, such as /dev/serial/by-id/usb-…, or usb: {',
    ],
    [
      `{ name: b, port: { path: /dev/a, usb: { vendor: '0403', product: '6001' }, baud: 9600 }, ${units} }`,
      'modbus.0.port.usb: write path or usb, not both',
    ],
    [
      `{ name: b, port: { path: /dev/*/a, baud: 9600 }, ${units} }`,
      'modbus.0.port.path: write the path of a serial port, such as',
    ],
    [
      `{ name: b, ${usbPort('1234')}, ${units} }`,
      "modbus.0.port.usb.vendor: write four hex digits in quotes, such as '0403'",
    ],
  ])('%s is refused: %s', (buses, problem) => {
    expect(problemsOf(buses)).toContain(problem);
  });

  test('shares neither port nor name with a serial port', () => {
    const problems = problemsOf(
      `{ name: b, ${port}, ${units} }`,
      'serial: [{ name: meter, path: /dev/ttyUSB0, baud: 9600 }]\n',
    );
    expect(problems).toContain('modbus.0.port.path: write another path than that of serial.0');
    expect(problems).toContain('modbus.0.units.0.name: write another name than that of serial.0');
  });

  test('shares neither pattern nor USB numbers with a serial port', () => {
    const problemsBeside = (written: string): string =>
      problemsOf(
        `{ name: b, port: { ${written}, baud: 9600 }, ${units} }`,
        `serial: [{ name: rain, path: /dev/rain, baud: 9600 }, { name: air, ${written}, baud: 9600 }]\n`,
      );
    expect(problemsBeside("usb: { vendor: '0403', product: '6001', serial: A1 }")).toContain(
      'modbus.0.port.usb: write another usb than that of serial.1',
    );
    expect(problemsBeside('path: /dev/ttyUSB*')).toContain(
      'modbus.0.port.path: write another path than that of serial.1, not "/dev/ttyUSB*"',
    );
  });

  test('tells anomaly detection the unit and the interval of each of its series', () => {
    const rules = modbusSeriesRules(
      busesOf(`{ name: b, ${port}, units: [{ name: air, unit: 1, every: 1m, map: xy-md02 }] }`),
    );
    expect(rules).toEqual([
      { match: 'readings:air:temperature', unit: '°C', hints: { intervalMs: 60_000 } },
      { match: 'readings:air:humidity', unit: '%', hints: { intervalMs: 60_000 } },
    ]);
  });
});
