import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SerialDevice } from '../../../src/core/serial-device.ts';
import { SimSerialPort } from '../../support/sim-serial-port.ts';
import { until } from '../../support/virtual-time.ts';
import { FakeGateway, json, session } from './fake-gateway.ts';

const ftdi: SerialDevice = {
  path: '/dev/ttyUSB0',
  links: ['/dev/serial/by-id/usb-FTDI_A1-port0', '/dev/serial/by-path/usb-0:1.2'],
  usb: { vendor: '0403', product: '6001', serial: 'A1', maker: 'FTDI' },
};
const uart: SerialDevice = { path: '/dev/ttyAMA0', links: [], usb: null };

let gateway: FakeGateway;
let port: SimSerialPort;
let devices: readonly SerialDevice[];
let signal: () => void;

beforeEach(async () => {
  gateway = await FakeGateway.start();
  port = new SimSerialPort();
  devices = [uart, ftdi];
  const ports = `
data: { dir: ${JSON.stringify(gateway.folder)} }
serial:
  - { name: air, usb: { vendor: '0403', product: '6001' }, baud: 9600, commands: { poll: ['READ'], every: 1h, pause: 0ms } }
  - { name: rain, path: /dev/serial/by-path/usb-0:1.9, baud: 1200 }
`;
  await writeFile(join(gateway.folder, 'headwater.yaml'), ports);
});

afterEach(() => gateway.remove());

const cli = (...words: string[]) =>
  session(['serial', ...words], {
    workingDirectory: gateway.folder,
    machine: { serialDevices: () => Promise.resolve(devices), openPort: port.open },
    onSignals: (send) => {
      signal = send;
    },
  });

describe('serial list', () => {
  it('shows each port with its names, its adapter and the configured port that takes it, without a gateway', async () => {
    await gateway.crash();
    expect(await cli('list')).toEqual({
      code: 0,
      errors: '',
      output: [
        '/dev/ttyAMA0: not configured',
        '/dev/ttyUSB0: air',
        '  /dev/serial/by-id/usb-FTDI_A1-port0',
        '  /dev/serial/by-path/usb-0:1.2',
        '  usb 0403:6001 serial A1, FTDI',
        'rain (/dev/serial/by-path/usb-0:1.9): there is no /dev/serial/by-path/usb-0:1.9',
        '',
      ].join('\n'),
    });
  });

  it('says how the running gateway has them', async () => {
    const serial = [{ name: 'air', wanted: 'usb 0403:6001', state: 'stalled' }];
    gateway.answer = (_, response) => json(response, 200, { serial, modbus: [] });
    expect((await cli('list')).output).toContain('/dev/ttyUSB0: air, stalled\n');
    const { devices: found, ports } = JSON.parse((await cli('list', '--json')).output);
    expect(found).toEqual([
      { ...uart, port: null },
      { ...ftdi, port: 'air' },
    ]);
    expect(ports[0]).toEqual({
      kind: 'serial',
      name: 'air',
      wanted: 'usb 0403:6001',
      device: '/dev/ttyUSB0',
      problem: null,
      state: 'stalled',
    });
    expect(ports[1]).toMatchObject({ name: 'rain', device: null, state: null });
  });

  it('shows what the ports of Modbus buses are beside them', async () => {
    const units = 'units: [{ name: meter, unit: 1, map: sdm120 }]';
    const buses = `
modbus:
  - { name: cabinet, port: { usb: { vendor: '0403', product: '6001', serial: A1 }, baud: 9600 }, ${units} }
`;
    await appendFile(join(gateway.folder, 'headwater.yaml'), buses);
    const modbus = [{ name: 'cabinet', place: 'usb 0403:6001 serial A1', state: 'open' }];
    gateway.answer = (_, response) => json(response, 200, { serial: [], modbus });
    const { output } = await cli('list');
    expect(output).toContain('/dev/ttyUSB0: Modbus bus cabinet, open\n');
    expect(output).toMatch(/^air \(usb 0403:6001\): .*the port of the Modbus bus cabinet already/m);
    const { ports } = JSON.parse((await cli('list', '--json')).output);
    expect(ports.at(-1)).toMatchObject({ kind: 'modbus', name: 'cabinet', device: '/dev/ttyUSB0' });
    devices = [];
    expect((await cli('list')).output).toMatch(/^Modbus bus cabinet \(usb .*correct modbus\.port\.usb/m);
    await gateway.crash();
    expect(await cli('sniff', 'air')).toMatchObject({ code: 1, errors: expect.stringContaining('no port') });
  });

  it('says that there are none', async () => {
    await gateway.crash();
    devices = [];
    expect((await cli('list')).output).toMatch(/^no serial ports here\nair .*there is no port usb 0403:6001/);
  });
});

describe('serial sniff', () => {
  it('opens a port itself when no gateway runs, asks the device, and ends after so many frames', async () => {
    await gateway.crash();
    const running = cli('sniff', 'air', '--frames', '2');
    await until('the command', () => port.written.length > 0);
    port.send('{"t":21.5}\nno\n');
    const { code, output } = await running;
    expect(code).toBe(0);
    expect(output.replaceAll(/^[\d:.]+ {2}/gm, '')).toBe(
      [
        'state      open, /dev/ttyUSB0',
        'sent       READ',
        'received   {"t":21.5}\\nno\\n',
        'frame      {"t":21.5}',
        'bad-frame  not-json: no',
        '',
      ].join('\n'),
    );
    expect([port.path, port.isOpen]).toEqual(['/dev/ttyUSB0', false]);
  });

  it('asks the running gateway for a port that it has, by name or by any path of it, and opens nothing', async () => {
    const events = [
      { kind: 'state', atMs: 1, state: 'open', device: '/dev/ttyUSB0' },
      { kind: 'frame', atMs: 2, hex: '31', value: '1' },
    ];
    gateway.answer = ({ url }, response) => {
      if (url.pathname === '/api/topics') json(response, 200, { topics: [] });
      else response.end(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    };
    for (const target of ['air', '/dev/ttyUSB0', '/dev/serial/by-path/usb-0:1.2']) {
      const { code, output } = await cli('sniff', target, '--json', '--frames', '1');
      expect({ code, output }).toEqual({
        code: 0,
        output: events.map((event) => `${JSON.stringify(event)}\n`).join(''),
      });
      expect(gateway.requests.at(-1)?.path).toBe('/api/serial/air/events');
    }
    expect(port.attempts).toBe(0);
    // The gateway stops.
    expect(await cli('sniff', 'air')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('it is stopping'),
    });
  });

  it('opens a port that the running gateway does not have, and ends at Ctrl-C', async () => {
    const running = cli('sniff', '/dev/ttyAMA0', '--baud', '115200', '--hex');
    await until('it is open', () => port.isOpen);
    port.send('A');
    await setImmediate();
    signal();
    const { code, output } = await running;
    expect(code).toBe(0);
    expect(output).toMatch(/received {3}41 +\|A\|\n$/);
    expect([port.path, gateway.requests]).toEqual(['/dev/ttyAMA0', []]);
  });

  it.each(['--decoder', '--framing'])(
    'takes the framing and the decoder of a device together, named by %s alone',
    async (option) => {
      const running = cli('sniff', '/dev/ttyAMA0', '--baud', '9600', option, 'sds011', '--frames', '1');
      await until('it is open', () => port.isOpen);
      // Its data sheet's example.
      port.send(Buffer.from('AAC0D4043A0AA1601DAB', 'hex'));
      const { code, output } = await running;
      expect(code).toBe(0);
      expect(output).toMatch(/frame {6}\{"pm2_5":123\.6,"pm10":261\.8\}\n$/);
    },
  );

  it.each([
    [['--decoder', 'dsmr'], /frame {6}\{"meter":"ISk5 MT382","power_delivered":0\.98\}\n$/],
    [['--framing', 'telegram'], /frame {6}\/ISk5 MT382/],
  ])('keeps what is configured for a device where only %j is named', async (options, shown) => {
    await gateway.crash();
    const settings = 'name: meter, path: /dev/ttyAMA0, baud: 9600, decoder: raw';
    const config = `serial: [{ ${settings}, framing: { type: telegram, checksum: none } }]\n`;
    await writeFile(join(gateway.folder, 'headwater.yaml'), config);
    const running = cli('sniff', 'meter', ...options, '--frames', '1');
    await until('it is open', () => port.isOpen);
    // An old meter: no checksum, which the framing of the port says.
    const telegram = '/ISk5 MT382\r\n\r\n1-0:1.7.0(0000.98*kW)\r\n!\r\n';
    port.send(telegram);
    const { code, output } = await running;
    expect(code).toBe(0);
    expect(output).toMatch(shown);
  });

  it('ends after so many seconds, or with 1 when the port is lost', async () => {
    await gateway.crash();
    expect((await cli('sniff', 'air', '--seconds', '1')).code).toBe(0);
    const lost = cli('sniff', 'air');
    await until('it is open', () => port.isOpen);
    port.unplug();
    expect(await lost).toMatchObject({ code: 1, errors: '/dev/ttyUSB0 is lost (unplugged)\n' });
  });

  it.each([
    [
      ['sniff', 'moon'],
      2,
      'there is no serial port moon in the configuration; there are: air, rain. Or give',
    ],
    [['sniff', '/dev/ttyAMA0'], 2, 'say how fast the device at /dev/ttyAMA0 speaks'],
    [['sniff', 'air', '--baud', '300'], 2, 'the running gateway reads air as it is configured'],
    [['sniff', 'air', '--framing', 'morse'], 2, 'Write one of'],
    [['sniff', 'air', '--seconds', '0'], 2, 'Write a whole number from 1'],
    [['sniff', '/dev/ttyAMA0', '--baud', '9600'], 1, 'there is no such port'],
  ])('ends %j with %d and what to do', async (words, code, message) => {
    gateway.answer = (_, response) => json(response, 200, { topics: [] });
    port.isPlugged = false;
    expect(await cli(...words)).toMatchObject({ code, errors: expect.stringContaining(message) });
  });
});
