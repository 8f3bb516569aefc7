import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readModelVerdict } from '../../../src/anomaly/models/model-verdict.ts';

const read = (content: unknown) => readModelVerdict(Buffer.from(JSON.stringify(content)));
const least = { model: 'river-hst', series: 'readings:a:t', isAnomalous: true };

describe('a verdict of a model', () => {
  test('needs no more than who speaks of what, and whether it is anomalous', () => {
    expect(read(least)).toEqual({
      ok: true,
      verdict: {
        model: 'river-hst',
        series: 'readings:a:t',
        timeMs: null,
        value: null,
        finding: {
          kind: 'model',
          severity: 500,
          score: 1,
          expected: null,
          rarity: null,
          words: [],
          isWarmingUp: false,
        },
      },
    });
    expect(read({ ...least, isAnomalous: false, time: 5 })).toMatchObject({
      verdict: { timeMs: 5, finding: null },
    });
    // As time.time() * 1000 gives it in Python; a record has whole milliseconds.
    expect(read({ ...least, time: 1_700_000_000_000.5 })).toMatchObject({
      verdict: { timeMs: 1_700_000_000_001 },
    });
  });

  test('may say how bad it is, what was expected, and why', () => {
    const expected = { value: 21, low: 20, high: 22 };
    const more = {
      time: 1_700_000_000_000,
      value: 25,
      score: 0.97,
      severity: 812.4,
      expected,
      words: ['rare'],
    };
    expect(read({ ...least, ...more })).toMatchObject({
      verdict: {
        timeMs: 1_700_000_000_000,
        finding: { score: 0.97, severity: 812, expected, words: ['rare'] },
      },
    });
  });

  test('says what is wrong with it', () => {
    const reasons: [unknown, RegExp][] = [
      [[], /"model"/],
      [{ ...least, model: '' }, /"model"/],
      [{ ...least, series: 7 }, /"series"/],
      [{ ...least, series: 'readings:\u001b[31m' }, /"series"/],
      [{ ...least, series: 'readings:"' }, /"series"/],
      [{ ...least, series: 'readings:\ud800' }, /"series"/],
      [{ ...least, series: 'ü'.repeat(200) }, /"series"/],
      [{ ...least, isAnomalous: 'yes' }, /"isAnomalous"/],
      [{ ...least, time: 'now' }, /"time"/],
      [{ ...least, time: 1e300 }, /"time"/],
      [{ ...least, time: -1 }, /"time"/],
      [{ ...least, value: '7' }, /"value"/],
      [{ ...least, score: 2 }, /"score"/],
      [{ ...least, severity: 0 }, /"severity"/],
      [{ ...least, words: 'rare' }, /"words"/],
      [{ ...least, expected: { value: 1 } }, /"expected"/],
    ];
    for (const [content, reason] of reasons)
      expect(read(content)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    expect(readModelVerdict(Buffer.from('{'))).toEqual({ ok: false, reason: 'it is not JSON' });
    expect(read({ ...least, words: ['x'.repeat(20_000)] })).toMatchObject({ ok: false });
  });

  test('is read from anything without a throw', () => {
    fc.assert(fc.property(fc.json(), (text) => typeof readModelVerdict(Buffer.from(text)).ok === 'boolean'));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof readModelVerdict(bytes).ok === 'boolean'));
  });
});
