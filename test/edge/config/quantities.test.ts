import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/edge/config/quantities.ts';

describe('a size', () => {
  it.each([
    ['4096', 4096],
    ['0', 0],
    ['1B', 1],
    ['500kB', 500_000],
    ['64KiB', 65_536],
    ['64MiB', 67_108_864],
    ['1GB', 1_000_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5GiB', 1_610_612_736],
    ['2 TB', 2_000_000_000_000],
    ['1TiB', 1_099_511_627_776],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    '',
    'GiB',
    '1G',
    '1gib',
    '-1kB',
    '+1kB',
    '1e3',
    '0x10',
    '1,5GiB',
    '0.5B',
    '1.3KiB',
    '9000TiB',
    '1kB ',
    '1h',
    '1 kB 5',
  ])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it('is written with the unit that leaves the smallest number', () => {
    const sizes = [0, 1, 1000, 1024, 500_000, 1536 * 1024 ** 2, 4 * 1024 ** 3, 1001].map(formatSize);
    expect(sizes).toEqual(['0B', '1B', '1kB', '1KiB', '500kB', '1536MiB', '4GiB', '1001B']);
  });
});

describe('a duration', () => {
  it.each([
    ['30d', 2_592_000_000],
    ['12h', 43_200_000],
    ['1.5h', 5_400_000],
    ['15m', 900_000],
    ['30s', 30_000],
    ['250ms', 250],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '30', 'd', '1D', '1w', '-1d', '1d12h', '0.5ms', '1kB', 'P30D'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('is written with the unit that leaves the smallest number', () => {
    const durations = [250, 30_000, 900_000, 129_600_000, 2_592_000_000].map(formatDuration);
    expect(durations).toEqual(['250ms', '30s', '15m', '36h', '30d']);
  });
});

it('what is written is read as the same', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(parseSize(formatSize(value))).toBe(value);
      expect(parseDuration(formatDuration(value))).toBe(value);
    }),
  );
});
