import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import type { Config } from '../../../src/edge/config/schema.ts';
import { decoderOf, decoders, type FramingName, framerOf, namesOf } from '../../../src/edge/registry.ts';
import { samplesOf } from '../../ingest/decode/samples.ts';
import { serialPort } from '../../support/serial-port-config.ts';

const read = (yaml: string) =>
  readConfig({ file: { name: 'hw.yaml', text: yaml }, sets: [], workingDirectory: '/', hostName: 'h' });

function portsOf(yaml: string): Config['serial'] {
  const result = read(yaml);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config.serial;
}

const portOf = (settings: string) =>
  portsOf(`serial: [{ name: air, path: /dev/air, baud: 9600, ${settings} }]`)[0];
const air = serialPort('air', '/dev/air');

describe('a serial port in the configuration', () => {
  test('speaks as it is told, with 8 data bits, no parity and 1 stop bit if nothing is said', () => {
    expect(portOf('')).toEqual(air);
    expect(portOf('dataBits: 7, parity: even, stopBits: 2, flow: xonxoff')).toEqual({
      ...air,
      dataBits: 7,
      parity: 'even',
      stopBits: 2,
      flow: 'xonxoff',
    });
  });

  test('may be meant by a pattern, or by what lsusb shows', () => {
    const [pattern, kind, one] = portsOf(`
serial:
  - { name: a, path: /dev/serial/by-id/usb-FTDI*, baud: 9600 }
  - { name: b, usb: { vendor: '1A86', product: '7523' }, baud: 9600 }
  - { name: c, usb: { vendor: '0403', product: '6001', serial: A1B2 }, baud: 9600 }
`);
    expect(pattern?.wish).toEqual({ path: '/dev/serial/by-id/usb-FTDI*' });
    expect(kind?.wish).toEqual({ usb: { vendor: '1a86', product: '7523' } });
    expect(one?.wish).toEqual({ usb: { vendor: '0403', product: '6001', serial: 'A1B2' } });
  });

  test('has its commands as bytes, and is stalled after three polls without an answer', () => {
    const commands = {
      start: [Uint8Array.of(0x41, 0x0d), Uint8Array.of(0xff, 0x01)],
      poll: [Uint8Array.of(0xff, 0x01, 0x86)],
      everyMs: 10_000,
      pauseMs: 100,
    };
    const text = "start: ['A\\r', { hex: 'FF01' }], poll: [{ hex: 'FF 01 86' }], every: 10s";
    expect(portOf(`commands: { ${text} }`)).toEqual({ ...air, stalledAfter: 30_000, commands });
    expect(portOf(`stalledAfter: 1m, commands: { ${text}, pause: 2s }`)).toEqual({
      ...air,
      stalledAfter: 60_000,
      commands: { ...commands, pauseMs: 2_000 },
    });
    expect(portOf("commands: { start: ['A'] }")).toMatchObject({ stalledAfter: undefined });
  });

  test.each([
    ["path: /dev/a, usb: { vendor: '0403', product: '6001' }", 'serial.0.usb: write path or usb, not both'],
    ['', 'serial.0.path: write the path of a serial port, such as /dev/serial/by-id/usb-…, or usb: {'],
    ['path: /dev/*/a', 'serial.0.path: write the path of a serial port, such as'],
    [
      'usb: { vendor: 0403, product: 6001 }',
      "serial.0.usb.vendor: write four hex digits in quotes, such as '0403', as lsusb shows them, not 403",
    ],
    ["usb: { vendor: '403', product: '6001' }", "write four hex digits in quotes, such as '0403'"],
    [
      "usb: { vendor: '0403' }",
      "serial.0.usb.product: is missing; write four hex digits in quotes, such as '6001'",
    ],
    ['path: /dev/a, dataBits: 9', 'serial.0.dataBits: write one of 8, 7, 6, 5, not 9'],
    ['path: /dev/a, parity: mark', 'serial.0.parity: write one of none, even, odd, not "mark"'],
    ['path: /dev/a, stopBits: 1.5', 'serial.0.stopBits: write one of 1, 2, not 1.5'],
    ['path: /dev/a, flow: hardware', 'serial.0.flow: write one of none, rtscts, xonxoff, not "hardware"'],
    [
      'path: /dev/a, stalledAfter: 60',
      'serial.0.stalledAfter: write the unit as well: a duration from 100ms to 30d',
    ],
    [
      "path: /dev/a, commands: { poll: ['A'] }",
      'serial.0.commands.every: write how often to poll, such as 10s',
    ],
    ['path: /dev/a, commands: { every: 1s }', 'serial.0.commands.poll: write what to send so often'],
    ["path: /dev/a, commands: { start: ['\\q'] }", 'serial.0.commands.start.0: write text of 1 to 256 bytes'],
    ["path: /dev/a, commands: { start: [''] }", 'serial.0.commands.start.0: write text of 1 to 256 bytes'],
    [
      "path: /dev/a, commands: { start: [{ hex: 'F' }] }",
      'serial.0.commands.start.0.hex: write 1 to 256 bytes in hex digits',
    ],
    ['path: /dev/a, commands: { start: [5] }', 'serial.0.commands.start.0: write text of 1 to 256 bytes'],
  ])('is refused with { %s }, with what to write instead', (settings, problem) => {
    const result = read(`serial: [{ name: a, baud: 9600, ${settings} }]`);
    expect('problems' in result && result.problems.join('\n')).toContain(problem);
  });

  test.each([
    ['path: /dev/a', 'path: /dev/a', 'serial.1.path: write another path than that of serial.0, not "/dev/a"'],
    [
      "usb: { vendor: '1A86', product: '7523' }",
      "usb: { vendor: '1a86', product: '7523' }",
      'serial.1.usb: write another usb than that of serial.0',
    ],
  ])('is not the same as another: %s', (one, other, problem) => {
    const result = read(`serial: [{ name: a, baud: 9600, ${one} }, { name: b, baud: 9600, ${other} }]`);
    expect('problems' in result && result.problems.join('\n')).toContain(problem);
  });
});

describe('a framing and a decoder', () => {
  const framings: readonly FramingName[] = ['line', 'slip', 'telegram', 'sds011', 'pms5003', 'mh-z19'];
  const ofDevices = ['dsmr', 'sds011', 'pms5003', 'mh-z19'] as const;
  /** What the devices send that have a decoder of their own. */
  const sent = ofDevices.flatMap((name) =>
    samplesOf(name).map(({ frame }) => Buffer.concat([frame, Buffer.from(name === 'dsmr' ? '\r\n' : '')])),
  );
  const settings = {
    csv: '{ type: csv, columns: [a] }',
    regex: "{ type: regex, pattern: '(?<a>.+)' }",
  } as const;
  const pairs = namesOf(decoders).flatMap((decoder) => framings.map((framing) => ({ framing, decoder })));
  const yamlOf = ({ framing, decoder }: (typeof pairs)[number]): string => {
    const written = decoder === 'csv' || decoder === 'regex' ? settings[decoder] : decoder;
    return `serial: [{ name: a, path: /a, baud: 9600, framing: ${framing}, decoder: ${written} }]`;
  };

  test('are refused together where they can give no reading', () => {
    const refused = pairs.filter((pair) => 'problems' in read(yamlOf(pair)));
    const taken = Object.fromEntries(
      framings.map((framing) => [
        framing,
        namesOf(decoders).filter(
          (decoder) => !refused.some((pair) => pair.framing === framing && pair.decoder === decoder),
        ),
      ]),
    );
    expect(taken).toEqual({
      line: ['json', 'raw', 'csv', 'key-value', 'regex', 'number', 'nmea'],
      slip: namesOf(decoders),
      telegram: ['raw', 'csv', 'key-value', 'regex', 'dsmr'],
      sds011: ['raw', 'sds011'],
      pms5003: ['raw', 'pms5003'],
      'mh-z19': ['raw', 'mh-z19'],
    });
  });

  test.each(ofDevices)(
    'give readings as the one for %s is told to be written, and none by lines',
    (decoder) => {
      const problems = read(`serial: [{ name: a, path: /a, baud: 9600, decoder: ${decoder} }]`);
      const told = 'problems' in problems ? problems.problems.join('\n') : '';
      const [, framing = ''] = /serial\.0\.framing: write ([a-z0-9-]+), because/.exec(told) ?? [];
      const readingsBy = (yaml: string): number => {
        const [port = air] = portsOf(yaml);
        const framer = framerOf(port.framing);
        const decode = decoderOf({ type: decoder });
        return sent.flatMap((bytes) => framer.push(bytes, 0)).filter(({ bytes }) => 'value' in decode(bytes))
          .length;
      };
      expect(
        readingsBy(`serial: [{ name: a, path: /a, baud: 9600, framing: ${framing}, decoder: ${decoder} }]`),
      ).toBeGreaterThan(0);
      expect(readingsBy('serial: [{ name: a, path: /a, baud: 9600 }]')).toBe(0);
    },
  );

  test.each([
    ['decoder: dsmr', 'serial.0.framing: write telegram, because dsmr understands nothing that line gives'],
    [
      "framing: { type: line, delimiter: '\\n' }, decoder: sds011",
      'serial.0.framing: write sds011, because sds011 understands nothing that line gives',
    ],
    [
      'framing: pms5003, decoder: mh-z19',
      'serial.0.framing: write mh-z19, because mh-z19 understands nothing that pms5003 gives, not "pms5003"',
    ],
    ['framing: sds011', 'serial.0.decoder: write sds011, or raw for the bytes as they are, because json'],
    ['framing: telegram, decoder: nmea', 'serial.0.decoder: write dsmr, or raw for the bytes as they are'],
  ])('are refused as %s, with what to write instead', (written, problem) => {
    const result = read(`serial: [{ name: a, path: /a, baud: 9600, ${written} }]`);
    expect('problems' in result && result.problems.join('\n')).toContain(problem);
  });

  test.each([
    "framing: { type: line, delimiter: '\\x03' }, decoder: dsmr",
    'framing: { type: fixed, length: 10 }, decoder: sds011',
    'framing: cobs, decoder: pms5003',
  ])('are left to who knows the device: %s', (written) => {
    expect(portOf(written)).toBeDefined();
  });
});
