import { describe, expect, test } from 'vitest';
import { framingSection } from '../../../src/edge/config/framing-section.ts';
import { readConfig } from '../../../src/edge/config/read-config.ts';

const read = (framing: string) =>
  readConfig({
    file: {
      name: 'hw.yaml',
      text: `serial: [{ name: a, path: /a, baud: 9600, decoder: raw, framing: ${framing} }]`,
    },
    sets: [],
    workingDirectory: '/',
    hostName: 'h',
  });

const framingOf = (framing: string) => {
  const result = read(framing);
  return 'config' in result ? result.config.serial[0]?.framing : result;
};

describe('a framing', () => {
  test('is lines if nothing is said, and all defaults if only a name is', () => {
    const lines = { type: 'line', delimiter: Uint8Array.of(0x0a), lengthMax: 65536 };
    expect(framingSection().parse(undefined)).toEqual(lines);
    expect(framingOf('line')).toEqual(lines);
    expect(framingOf('{ type: line }')).toEqual(lines);
    expect(framingOf('mh-z19')).toEqual({ type: 'mh-z19' });
    expect(framingOf('{ type: slip, lengthMax: 2KiB }')).toEqual({ type: 'slip', lengthMax: 2048 });
  });

  test.each([
    ["';'", [0x3b]],
    ["'\\r'", [0x0d]],
    ['"\\r\\n"', [0x0d, 0x0a]],
    ["'\\\\\\x1b\\0\\t'", [0x5c, 0x1b, 0, 9]],
    ['°', [0xc2, 0xb0]],
  ])('has the delimiter %s, in whatever quotes', (written, bytes) => {
    expect(framingOf(`{ type: line, delimiter: ${written} }`)).toMatchObject({
      delimiter: Uint8Array.from(bytes),
    });
  });

  test('has a length, or says where a message has it', () => {
    expect(framingOf('{ type: header, header: aac0, length: 4 }')).toMatchObject({
      header: Uint8Array.of(0xaa, 0xc0),
      length: 4,
    });
    expect(framingOf('{ type: header, header: AA, length: { at: 1, bytes: 2 } }')).toMatchObject({
      length: { at: 1, bytes: 2, order: 'big' },
    });
  });

  const delimiters =
    "write 1 to 8 bytes, such as ';' or '\\r' (escapes: \\n, \\r, \\t, \\0, \\\\, \\x and two hexadecimal digits)";
  const names =
    'write one of line, slip, cobs, fixed, length-prefixed, header, telegram, sds011, pms5003, mh-z19, or a mapping with one of them as type';
  test.each([
    ['telex', '', `${names}, not "telex"`],
    ['{ type: telex }', '.type', `${names}, not "telex"`],
    ['{ lengthMax: 5 }', '.type', `is missing; ${names}`],
    ['[]', '', names],
    ['fixed', '.length', 'is missing; write a whole number of bytes from 1 to 65536'],
    ['{ type: fixed, length: 0 }', '.length', 'write a whole number of bytes from 1 to 65536, not 0'],
    [
      '{ type: fixed, length: 9, gap: 20 }',
      '.gap',
      'write the unit as well: a duration from 1ms to 1m, such as 30s or 250ms, not 20',
    ],
    ["{ type: line, delimiter: '' }", '.delimiter', `${delimiters}, not ""`],
    ["{ type: line, delimiter: '\\q' }", '.delimiter', `${delimiters}, not "\\\\q"`],
    ["{ type: line, delimiter: '\\' }", '.delimiter', `${delimiters}, not "\\\\"`],
    [
      '{ type: line, delimiter: 12345678 }',
      '.delimiter',
      `${delimiters}, in quotes because YAML takes it for something else, not 12345678`,
    ],
    ['{ type: line, delimiter: 123456789 }', '.delimiter', `${delimiters}, not 123456789`],
    ['{ type: slip, delimiter: x }', '.delimiter', 'slip has no such setting; there are: lengthMax'],
    ['{ type: sds011, gap: 1s }', '.gap', 'sds011 has no such setting; it needs none'],
    ['{ type: slip, lenghtMax: 5 }', '.lenghtMax', 'unknown setting; did you mean lengthMax?'],
    [
      '{ type: length-prefixed, bytes: 2, lengthMax: 2 }',
      '.lengthMax',
      'write 3 at least: the length and a byte, not 2',
    ],
    [
      '{ type: header, header: AAC, length: 4 }',
      '.header',
      'write 1 to 8 bytes as pairs of hexadecimal digits, such as \'AA C0\', not "AAC"',
    ],
    [
      '{ type: header, header: AA, length: long }',
      '.length',
      'write a whole number of bytes from 1 to 65536, or where a frame says it, such as { at: 2, bytes: 1 }, not "long"',
    ],
    [
      '{ type: header, header: AA, length: { at: 1, bytes: 3 } }',
      '.length.bytes',
      'write a whole number of bytes from 1 to 2, not 3',
    ],
    [
      '{ type: header, header: AA C0, length: 3, checksum: { kind: sum-16 } }',
      '.length',
      'write 4 at least: so much a frame has with all its parts, not 3',
    ],
    [
      '{ type: header, header: AA, length: { at: 1, bytes: 2 }, tail: AB, lengthMax: 3 }',
      '.lengthMax',
      'write 4 at least: so much a frame has with all its parts, not 3',
    ],
    [
      '{ type: header, header: AA, length: 9, lengthMax: 8 }',
      '.length',
      'write 8 at most, or more in lengthMax, not 9',
    ],
    [
      '{ type: header, header: AA, length: 9, checksum: { kind: md5 } }',
      '.checksum.kind',
      'write one of sum-8, negative-sum-8, sum-16, xor-8, crc-16/arc, crc-16/modbus, not "md5"',
    ],
  ])('is refused as %s, saying what to write', (framing, setting, message) => {
    const result = read(framing);
    const problems = 'problems' in result ? result.problems : [];
    expect(problems.map(String).map((problem) => problem.replace(/^hw\.yaml:\d+:\d+: /, ''))).toEqual([
      `serial.0.framing${setting}: ${message}`,
    ]);
  });
});
