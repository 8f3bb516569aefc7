import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Alert, alertMemoKey, beginningAlert, withFinding } from '../../../src/anomaly/alerts/alert.ts';
import type { AlertLife } from '../../../src/anomaly/alerts/alert-machine.ts';
import { decodeLife, encodeLife } from '../../../src/anomaly/alerts/alert-memo.ts';
import { decodeFlood, encodeFlood } from '../../../src/anomaly/alerts/flood.ts';
import { seriesName } from '../../../src/anomaly/alerts/series-name.ts';
import { findingKinds } from '../../../src/anomaly/detection/finding.ts';
import { limits } from '../../../src/core/limits.ts';
import { findingOf, hall, readingAt } from './alert-examples.ts';

const begun = beginningAlert(hall, 'spike', null, readingAt(4));
const raised: AlertLife = {
  alert: {
    ...withFinding(begun, readingAt(4, 9000), findingOf('spike', { rarity: 'once in 90 days' })),
    state: 'clearing',
    detectedMs: 5,
    acknowledgedMs: 6,
    acknowledgedBy: 'anna',
  },
  foundBits: 0,
  quietReadings: 2,
  quietSinceMs: 7,
  isTold: true,
};

test('an alert is read back as it was written', () => {
  const pending = { ...raised, alert: begun, foundBits: 5, quietReadings: 0, quietSinceMs: 0, isTold: false };
  for (const life of [raised, pending]) {
    expect(decodeLife(encodeLife(life))).toEqual({ ok: true, life });
  }
});

test('a memo that is cut, changed, or from another release is refused in words, and never crashes', () => {
  const bytes = encodeLife(raised);
  for (let length = 0; length < bytes.length; length += 1) {
    expect(decodeLife(bytes.subarray(0, length)).ok, `${length} bytes`).toBe(false);
  }
  for (let at = 0; at < bytes.length; at += 1) {
    for (const bit of [1, 16, 128]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ bit;
      expect(() => decodeLife(damaged)).not.toThrow();
    }
  }
  expect(decodeLife(Uint8Array.of(9, 91, 93))).toMatchObject({
    reason: expect.stringContaining('version is 9'),
  });
  expect(decodeLife(Uint8Array.of(1, 91, 93)).ok).toBe(false);
});

const anyText = fc.string({ unit: 'binary', maxLength: 400 });
const anyNumber = fc.double();

test('no alert is larger than its room, whatever texts and numbers it is made of', () => {
  const anyAlert = fc.record({
    topic: fc.string({ unit: fc.constantFrom('a', 'B', '.', '_'), minLength: 1, maxLength: 249 }),
    key: anyText,
    path: fc.option(anyText),
    unit: fc.option(anyText),
    model: fc.option(fc.string({ minLength: 32, maxLength: 32, unit: fc.constantFrom('m', 'o') })),
    words: fc.array(anyText, { maxLength: 4 }),
    rarity: fc.option(anyText),
    numbers: fc.tuple(anyNumber, anyNumber, anyNumber, anyNumber, anyNumber, anyNumber),
    kind: fc.constantFrom(...findingKinds),
  });
  fc.assert(
    fc.property(anyAlert, ({ topic, key, path, unit, model, words, rarity, numbers, kind }) => {
      const series = seriesName({ topic, key, path });
      const [severity, score, value, expected, low, high] = numbers;
      const reading = { timeMs: 1_700_000_000_000, value, offset: Number.MAX_SAFE_INTEGER };
      const subject = { series, partition: 63, unit };
      const finding = findingOf(kind, {
        severity,
        score,
        words,
        rarity,
        expected: { value: expected, low, high },
      });
      const beginning = beginningAlert(subject, kind, model, reading);
      const times = { detectedMs: 1_700_000_000_000, clearedMs: 1_700_000_000_000 };
      const people = { acknowledgedMs: 1_700_000_000_000, acknowledgedBy: 'x'.repeat(32) };
      const alert: Alert = {
        ...withFinding(beginning, reading, finding),
        ...times,
        ...people,
        shelvedUntilMs: 1_700_000_000_000,
        state: 'clearing',
        suppressed: 100_000,
      };
      const life = { ...raised, alert, quietSinceMs: 1_700_000_000_000, quietReadings: 20 };
      const keyBytes = alertMemoKey(subject, kind, model).length;
      expect(encodeLife(life).length + keyBytes).toBeLessThanOrEqual(limits.alertMemoBytesMax);
      expect(decodeLife(encodeLife(life))).toEqual({ ok: true, life });
      const pending = encodeLife({ ...life, alert: { ...beginning, shelvedUntilMs: 1_700_000_000_000 } });
      expect(pending.length + keyBytes).toBeLessThanOrEqual(limits.pendingAlertMemoBytesMax);
    }),
    { numRuns: 200 },
  );
});

test('a flood is read back as it was written, and refused if it is damaged', () => {
  expect(decodeFlood(encodeFlood({ heldBack: 1234 }))).toEqual({ ok: true, flood: { heldBack: 1234 } });
  for (const bytes of [[], [1], [2, 49], [1, 120], [1, 48]]) {
    expect(decodeFlood(Uint8Array.from(bytes)).ok).toBe(false);
  }
});

test('texts that are cut end in three dots, and two of them share the room', () => {
  const words = (...given: readonly string[]) =>
    withFinding(begun, readingAt(4), findingOf('spike', { words: given })).words;
  const room = limits.alertWordsBytesMax;
  expect(words('a new shape', 'unusual for 03:00')).toEqual(['a new shape', 'unusual for 03:00']);
  expect(words('x'.repeat(room))).toEqual(['x'.repeat(room)]);
  expect(words('x'.repeat(room + 1))).toEqual([`${'x'.repeat(room - 3)}…`]);
  expect(words('x'.repeat(room - 10), 'unusual for 03:00')).toEqual(['x'.repeat(room - 10), 'unusual…']);
  expect(words('say "why"\n', 'a', 'b')).toEqual(["say 'why' ", 'a']);
});
