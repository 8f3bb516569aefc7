import { describe, expect, test } from 'vitest';
import { limits } from '../../../../src/core/limits.ts';
import type { Frame, Framer } from '../../../../src/ingest/serial/frame.ts';
import { ByteWindow } from '../../../../src/ingest/serial/framing/byte-window.ts';
import { fixedLengthFramer } from '../../../../src/ingest/serial/framing/fixed-length-framer.ts';
import { partsBytes } from '../../../../src/ingest/serial/framing/frame-with-header.ts';
import { headerFramer } from '../../../../src/ingest/serial/framing/header-framer.ts';
import { lengthPrefixedFramer } from '../../../../src/ingest/serial/framing/length-prefixed-framer.ts';
import { ReceiptTimes } from '../../../../src/ingest/serial/framing/receipt-times.ts';
import { sds011Framer } from '../../../../src/ingest/serial/framing/sensor-framers.ts';
import { telegramFramer } from '../../../../src/ingest/serial/framing/telegram-framer.ts';
import { crc16Arc } from '../../../support/framing-samples.ts';

const hex = (digits: string): Uint8Array => Uint8Array.fromHex(digits.replaceAll(' ', ''));
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const shown = ({ bytes, problem }: Frame): string => `${problem ?? 'good'} ${bytes.toHex()}`;
const framed = (framer: Framer, sent: Uint8Array): readonly string[] =>
  [...framer.push(sent, 0), ...framer.interrupt()].map(shown);

const particles = 'AA C0 D4 04 3A 0A A1 60 1D AB';

describe('a framer for headers', () => {
  test('finds the frame behind a header that is none, without waiting for what that claims', () => {
    const framer = headerFramer({
      header: hex('5A'),
      length: { at: 1, bytes: 2, order: 'little' },
      checksum: { kind: 'xor-8', from: 3 },
    });
    const good = hex('5A 02 00 07 07');
    expect(framer.push(hex('5A FF FF'), 1)).toEqual([]);
    expect(framer.push(good, 2)).toEqual([]);
    // It could have been a frame of 65538 bytes; after a loss of the port it cannot any more.
    expect(framer.interrupt().map((frame) => [shown(frame), frame.receivedMs])).toEqual([
      ['frame-garbled 5affff', 1],
      ['good 5a02000707', 2],
    ]);
    expect(framed(framer, good)).toEqual(['good 5a02000707']);
  });

  test('finds a frame whose header begins in a header cut off', () => {
    expect(framed(sds011Framer(), hex(`AA ${particles}`))).toEqual([
      'frame-garbled aa',
      `good ${hex(particles).toHex()}`,
    ]);
  });

  test.each([
    ['a length below that of its parts', '5A 01 07', 'frame-garbled 5a0107'],
    ['a length above the longest', '5A 09 01 02 03', 'frame-garbled 5a09010203'],
  ])('takes %s for no header', (_, sent, problem) => {
    const framer = headerFramer({
      header: hex('5A'),
      length: { at: 1, bytes: 1, order: 'big', add: 0 },
      lengthMax: 8,
    });
    expect(framer.push(hex(`${sent} 5A 03 02`), 0).map(shown)).toEqual([problem, 'good 5a0302']);
  });

  test('gives long noise in pieces, each with its time, and none for each byte', () => {
    const piece = limits.serialGarbledBytesMin;
    const framer = sds011Framer();
    const frames = [1, 2, 3].flatMap((atMs) => framer.push(new Uint8Array(piece), atMs));
    expect(frames.map(({ bytes, receivedMs }) => [bytes.length, receivedMs])).toEqual([
      [piece, 1],
      [piece, 2],
      [piece, 3],
    ]);
    expect(framer.push(hex(particles), 4).map(shown)).toEqual([`good ${hex(particles).toHex()}`]);
  });

  test('knows how much a frame has at least', () => {
    const length = { at: 2, bytes: 2, order: 'big' } as const;
    const header = hex('AA C0');
    expect(partsBytes({ header, length: 10 })).toBe(2);
    expect(partsBytes({ header, length, checksum: { kind: 'sum-16', from: 0 }, tail: hex('AB') })).toBe(7);
    expect(partsBytes({ header, length, checksum: { kind: 'sum-8', from: 9 } })).toBe(10);
  });
});

describe('a pause', () => {
  test('begins a new frame where each has the same length', () => {
    const framer = fixedLengthFramer({ length: 3, gap: 20 });
    expect(framer.push(hex('01 02'), 100)).toEqual([]);
    expect(framer.push(hex('03 04'), 119).map(shown)).toEqual(['good 010203']);
    expect(framer.push(hex('05 06 07'), 139).map(shown)).toEqual(['frame-incomplete 04', 'good 050607']);
  });

  test('begins a new frame where lengths are in front, whatever the length claimed', () => {
    const framer = lengthPrefixedFramer({ bytes: 1, order: 'big', lengthMax: 300, gap: 20 });
    expect(framer.push(hex('FF 02'), 100)).toEqual([]);
    expect(framer.push(hex('02 08 09'), 120).map(shown)).toEqual(['frame-incomplete ff02', 'good 0809']);
  });
});

describe('a framer for lengths', () => {
  test.each([
    ['counts what follows', { bytes: 1, order: 'big' }, '02 0A 0B'],
    ['counts itself', { bytes: 2, order: 'big', add: 0 }, '00 04 0A 0B'],
    ['comes with its lower byte first', { bytes: 2, order: 'little' }, '02 00 0A 0B'],
  ] as const)('takes one that %s', (_, field, sent) => {
    const framer = lengthPrefixedFramer({ ...field, lengthMax: 100, gap: 20 });
    expect(framed(framer, hex(sent))).toEqual(['good 0a0b']);
  });

  test('passes over one that no frame has', () => {
    const framer = lengthPrefixedFramer({ bytes: 1, order: 'big', lengthMax: 4, gap: 20 });
    expect(framed(framer, hex('00 04 01 09'))).toEqual(['frame-garbled 0004', 'good 09']);
  });
});

describe('a framer for telegrams', () => {
  const framer = () => telegramFramer({ checksum: 'crc-16/arc', lengthMax: 20 });
  const good = `/a!${crc16Arc(latin1('/a!')).toString(16).toUpperCase().padStart(4, '0')}`;

  test.each([
    ['with capitals or without', `${good}\r\n${good.toLowerCase()}\r\n`, 2],
    ['after line ends', `\r\n\n${good}`, 1],
  ])('gives it %s', (_, sent, count) => {
    expect(
      framer()
        .push(latin1(sent), 0)
        .map(({ problem }) => problem),
    ).toEqual(Array.from({ length: count }, () => null));
  });

  test.each([
    ['a wrong CRC', '/b!1234\r\n'],
    ['no CRC', '/a!\r\n12'],
    ['a second slash', '/a/b'],
    ['no end within its bound', `/${'x'.repeat(30)}`],
  ])('gives one with %s as bad, and the next one as good', (_, sent) => {
    const problems = framer()
      .push(latin1(`${sent}${good}`), 0)
      .map(({ problem }) => problem);
    expect(problems).toEqual(['frame-garbled', null]);
  });
});

test('a window forgets what is before a place, and its checksum runs on', () => {
  const sum = {
    bytes: 1,
    isBigEndian: true,
    step: (state: number, byte: number) => state + byte,
    between: (before: number, after: number) => after - before,
  } as const;
  const window = new ByteWindow(4, sum);
  expect(window.append(hex('01 02 03 04 05'))).toBe(4);
  expect(window.isFull).toBe(true);
  window.dropBefore(3);
  expect([window.end, ...window.bytes.subarray(0, 1), ...window.states.subarray(0, 2)]).toEqual([
    1, 4, 6, 10,
  ]);
  expect(window.append(hex('05'))).toBe(1);
  expect(window.states[2]).toBe(15);
});

test('times of receipt are those of the bytes, also after many', () => {
  const times = new ReceiptTimes();
  for (let place = 0; place < 10_000; place += 10) {
    times.add(place, place - (place % 20));
    if (place >= 100) expect(times.at(place - 93)).toBe(place - 100 - ((place - 100) % 20));
  }
});
