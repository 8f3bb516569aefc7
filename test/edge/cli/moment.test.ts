import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../../src/edge/cli/moment.ts';

const nowMs = Date.UTC(2026, 0, 31, 12);

describe('a moment', () => {
  it.each([
    ['2026-01-31T08:00Z', Date.UTC(2026, 0, 31, 8)],
    ['2026-01-31 08:00:30Z', Date.UTC(2026, 0, 31, 8, 0, 30)],
    ['2026-01-31T08:00:30.250+01:00', Date.UTC(2026, 0, 31, 7, 0, 30, 250)],
    ['2h', nowMs - 2 * 3_600_000],
    ['2h ago', nowMs - 2 * 3_600_000],
    ['90s ago', nowMs - 90_000],
    ['0s', nowMs],
  ])('%s is one', (text, ms) => {
    expect(parseMoment(text, nowMs)).toBe(ms);
  });

  it('is local time unless it says its zone', () => {
    expect(parseMoment('2026-01-31', nowMs)).toBe(new Date(2026, 0, 31).getTime());
    expect(parseMoment('2026-01-31T08:00', nowMs)).toBe(new Date(2026, 0, 31, 8).getTime());
  });

  it.each([
    '',
    'yesterday',
    '5',
    '31.1.2026',
    '2026-1-31',
    '2026-02-30',
    '2026-13-01',
    '2026-01-31T25:00',
    '2026-01-31T8:00',
    '1960-01-01',
    '99999d',
    'ago',
    '2h later',
  ])('%j is none', (text) => {
    expect(parseMoment(text, nowMs)).toBeUndefined();
  });
});
