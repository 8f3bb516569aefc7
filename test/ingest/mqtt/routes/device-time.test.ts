import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deviceTimeOf, type TimeUnit } from '../../../../src/ingest/mqtt/routes/device-time.ts';

const wallMs = Date.UTC(2026, 10, 26, 12);
const now = { isClockSet: true, wallMs };
const time = (payload: string, unit: TimeUnit = 'ms', path = ['ts'], clock = now) =>
  deviceTimeOf(Buffer.from(payload), { path, unit }, clock);

test.each([
  ['s', `{"ts":${wallMs / 1000}}`],
  ['s', `{"ts":${wallMs / 1000 + 0.0004}}`],
  ['ms', `{"ts":${wallMs}}`],
  ['ms', `{"ts":"${wallMs}"}`],
  ['us', `{"ts":${wallMs}000}`],
  ['ns', `{"ts":${wallMs}000000}`],
  ['iso', '{"ts":"2026-11-26T12:00:00Z"}'],
  ['iso', '{"ts":"2026-11-26T13:00:00.000+01:00"}'],
] as const)('is read in %s from %s', (unit, payload) => {
  expect(time(payload, unit)).toBe(wallMs);
});

test('is found inside of objects and lists', () => {
  expect(time(`{"meta":{"at":[1,${wallMs}]}}`, 'ms', ['meta', 'at', '1'])).toBe(wallMs);
});

test.each([
  ['not JSON', 'ms'],
  ['{"ts":null}', 'ms'],
  ['{"ts":""}', 'ms'],
  ['{"ts":true}', 'ms'],
  ['{"ts":"soon"}', 'ms'],
  ['{"other":1}', 'ms'],
  ['[1]', 'ms'],
  ['7', 'ms'],
  ['{"ts":"2026-11-26"}', 'iso'],
  ['{"ts":"2026-11-26T12:00:00"}', 'iso'],
  ['{"ts":"2026-13-26T12:00:00Z"}', 'iso'],
  [`{"ts":${wallMs}}`, 'iso'],
] as const)('%s has none as %s', (payload, unit) => {
  expect(time(payload, unit)).toBe('unreadable');
});

test('names of every object are no members', () => {
  expect(time('{}', 'ms', ['constructor', 'length'])).toBe('unreadable');
});

test('may be a little ahead of the gateway, and no older than a clock that was never set', () => {
  expect(time(`{"ts":${wallMs + 600_000}}`)).toBe(wallMs + 600_000);
  expect(time(`{"ts":${wallMs + 600_001}}`)).toBe('out-of-range');
  expect(time('{"ts":946684800000}')).toBe(946_684_800_000);
  expect(time('{"ts":946684799999}')).toBe('out-of-range');
  expect(time('{"ts":1e300}')).toBe('out-of-range');
});

test('counts only if the clock of the gateway is set, which it is held against', () => {
  expect(time(`{"ts":${wallMs}}`, 'ms', ['ts'], { ...now, isClockSet: false })).toBe('clock-unset');
});

test('is a whole number of milliseconds or a word, whatever the payload is', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.json(), fc.string()),
      fc.constantFrom('s', 'ms', 'us', 'ns', 'iso'),
      (payload, unit) => {
        const found = time(payload, unit as TimeUnit, ['ts']);
        expect(typeof found === 'string' || Number.isSafeInteger(found)).toBe(true);
      },
    ),
  );
});
