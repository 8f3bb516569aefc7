import { describe, expect, test } from 'vitest';
import {
  agoText,
  bytesText,
  counted,
  durationText,
  limitText,
  rateText,
  severityText,
  valueText,
} from '../../../src/edge/page/words.js';

describe('numbers on the page', () => {
  test.each([
    [0, '0'],
    [0.004, '< 0.01'],
    [0.3333, '0.333'],
    [79.94, '79.9'],
    [12_345.6, '12,346'],
  ])('a rate of %f is %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [4_294_967_296, '4.29 GB'],
    [16e12, '16 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  test.each([
    [-5, '0 s'],
    [59.9, '59 s'],
    [90, '1 min 30 s'],
    [3600, '1 h'],
    [200_000, '2 d 7 h'],
    [4 * 365.25 * 86_400, '4 years'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  test.each([
    [null, null, 'no number'],
    [21.5, '°C', '21.5 °C'],
    [0, null, '0'],
    [-127, null, '-127'],
    [1 / 3, null, '0.3333333'],
    [1.5e12, 'W', '1.500e+12 W'],
    [2e-7, null, '2.000e-7'],
  ])('the value %f of unit %s is %s', (value, unit, text) => {
    expect(valueText(value, unit)).toBe(text);
  });

  test('say how many of what, how long ago, and how bad', () => {
    expect([counted(1, 'alert'), counted(2, 'alert'), counted(1, 'series', 'series')]).toEqual([
      '1 alert',
      '2 alerts',
      '1 series',
    ]);
    // The clocks of the gateway and of its readings may be apart by a little.
    expect([agoText(1_000, 500), agoText(0, 1_000), agoText(0, 65_000)]).toEqual([
      'just now',
      'just now',
      '1 min 5 s ago',
    ]);
    expect([severityText(1), severityText(400), severityText(799), severityText(1000)]).toEqual([
      'low',
      'medium',
      'high',
      'urgent',
    ]);
    expect([limitText(15.991942), limitText(null)]).toEqual(['15.99', '–']);
  });
});
