import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitsPathPattern } from '../../src/core/serial-device.ts';

test.each([
  ['/dev/ttyUSB0', '/dev/ttyUSB0', true],
  ['/dev/ttyUSB', '/dev/ttyUSB0', false],
  ['/dev/ttyUSB*', '/dev/ttyUSB0', true],
  ['/dev/ttyUSB*', '/dev/ttyUSB', true],
  ['/dev/*', '/dev/serial/by-id', false],
  ['/dev/serial/by-id/usb-*_if00', '/dev/serial/by-id/usb-Arduino_if00', true],
  ['/dev/serial/by-id/usb-*_if00', '/dev/serial/by-id/usb-Arduino_if01', false],
  ['/dev/a*a', '/dev/a', false],
  ['/dev/a*b*c', '/dev/a-b-b-c', true],
  ['/dev/a*b*c', '/dev/a-c', false],
  ['/dev/tty.*', '/dev/ttyX', false],
])('%s for %s: %s', (pattern, path, isFitting) => {
  expect(fitsPathPattern(pattern, path)).toBe(isFitting);
});

test('a pattern made of a path by putting * for any part of its last name fits it', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '.') });
  fc.assert(
    fc.property(part, part, part, (start, middle, end): void => {
      expect(fitsPathPattern(`/dev/${start}*${end}`, `/dev/${start}${middle}${end}`)).toBe(true);
    }),
  );
});
