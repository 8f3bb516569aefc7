import { describe, expect, test } from 'vitest';
import {
  type HourSpan,
  momentText,
  msUntilClosed,
  msUntilOpen,
  parseSpan,
  spanText,
} from '../../src/forwarder/lanes/link-hours.ts';
import { restOf } from '../../src/forwarder/lanes/link-rest.ts';
import { restText } from '../../src/forwarder/progress/link-status.ts';

const MINUTE = 60_000;
const at = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * MINUTE;
};
const spans = (...texts: readonly string[]): readonly HourSpan[] =>
  texts.map((text) => {
    const span = parseSpan(text);
    if (span === undefined) throw new Error(`no span: ${text}`);
    return span;
  });
const rules = (...texts: readonly string[]) => ({
  bytesPerDay: 1e7,
  hours: texts.length === 0 ? null : spans(...texts),
});
const local = (time: string) => ({ day: '2026-03-01', msOfDay: at(time) });

describe('a span of hours', () => {
  test.each(['22:00-06:00', '00:00-24:00', '12:30-13:00', '23:59-00:00'])(
    'is read as written: %s',
    (text) => {
      expect(spans(text).map(spanText)).toEqual([text]);
    },
  );

  test.each(['', '22-6', '22:00', '22:00-22:00', '24:00-06:00', '22:00-24:01', '22:60-23:00', '9:00-10:00'])(
    'is not: %j',
    (text) => expect(parseSpan(text)).toBeUndefined(),
  );

  test.each([
    ['22:00-06:00', '21:59', 1, 0],
    ['22:00-06:00', '22:00', 0, 480],
    ['22:00-06:00', '00:00', 0, 360],
    ['22:00-06:00', '05:59', 0, 1],
    ['22:00-06:00', '06:00', 960, 0],
    ['00:00-24:00', '12:00', 0, Number.POSITIVE_INFINITY],
    ['12:00-24:00 00:00-06:00', '23:00', 0, 420],
    ['12:00-18:00 17:00-12:00', '13:00', 0, Number.POSITIVE_INFINITY],
    ['12:30-13:00 22:00-06:00', '13:00', 540, 0],
    ['12:30-13:00 22:00-06:00', '06:00', 390, 0],
  ])('%s at %s begins in %i minutes and ends in %d', (texts, time, open, closed) => {
    const all = spans(...texts.split(' '));
    expect(msUntilOpen(all, at(time)) / MINUTE).toBe(open);
    expect(msUntilClosed(all, at(time)) / MINUTE).toBe(closed);
  });

  test('is told as the clock will show it', () => {
    expect(momentText(local('21:00'), 60 * MINUTE)).toBe('22:00');
    expect(momentText(local('21:00'), 180 * MINUTE)).toBe('midnight');
    expect(momentText(local('21:00'), 600 * MINUTE)).toBe('07:00 tomorrow');
  });
});

describe('bulk', () => {
  test.each([
    ['may send within its hours', rules('22:00-06:00'), false, local('23:00'), null],
    ['may send at any time without hours', rules(), false, local('13:00'), null],
    [
      'waits outside of them',
      rules('22:00-06:00'),
      false,
      local('07:00'),
      'bulk waits until 22:00 (forwarder.hours)',
    ],
    [
      'waits for the next day',
      rules(),
      true,
      local('07:00'),
      "bulk waits until midnight: the link's bytes of today are used up (forwarder.bytesPerDay)",
    ],
    [
      'waits for the first hour of the next day',
      rules('12:30-13:00', '22:00-23:30'),
      true,
      local('12:45'),
      "bulk waits until 12:30 tomorrow: the link's bytes of today are used up (forwarder.bytesPerDay)",
    ],
    [
      'waits for the clock if there are hours',
      rules('22:00-06:00'),
      false,
      null,
      'bulk waits until the clock is set, since nobody knows before whether it may send (forwarder.hours)',
    ],
    ['does not if there are none', rules(), false, null, null],
    [
      'has no next day before the clock is set',
      rules('22:00-06:00'),
      true,
      null,
      "bulk waits until the clock is set and a new day begins: the link's bytes of today are used up (forwarder.bytesPerDay)",
    ],
  ])('%s', (_, allowed, isSpent, now, expected) => {
    const rest = restOf(allowed, isSpent, now);
    expect(rest && restText(rest)).toBe(expected);
  });

  test('knows how long it waits', () => {
    expect(restOf(rules('22:00-06:00'), false, local('07:00'))?.secondsLeft).toBe(15 * 3600);
    expect(restOf(rules('22:00-06:00'), true, local('23:00'))).toMatchObject({
      until: 'midnight',
      secondsLeft: 3600,
    });
    expect(restOf(rules('12:00-13:00'), true, local('12:30'))?.secondsLeft).toBe(23.5 * 3600);
  });
});
