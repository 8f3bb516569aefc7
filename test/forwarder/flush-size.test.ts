import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  type FlushSize,
  firstFlushSize,
  sizeAfterBreak,
  sizeAfterCommit,
} from '../../src/forwarder/flush-size.ts';

const { transactionBytesMax, transactionBytesMin } = limits;

/** A backlog over a link of so many bytes a second, with a round trip of so long. */
function drain(bytesPerSecond: number, roundTripMs: number, transactions: number): FlushSize[] {
  const sizes = [firstFlushSize(transactionBytesMax)];
  for (let index = 0; index < transactions; index += 1) {
    const size = sizes.at(-1) ?? firstFlushSize(transactionBytesMax);
    const elapsedMs = 3 * roundTripMs + (size.bytes / bytesPerSecond) * 1000;
    const isTooSlow = elapsedMs > limits.transactionTimeoutMs;
    sizes.push(isTooSlow ? sizeAfterBreak(size) : sizeAfterCommit(size, elapsedMs, true));
  }
  return sizes;
}

describe('the size of a transaction', () => {
  test('reaches the largest one on a fast link within a few transactions', () => {
    expect(drain(100e6, 1, 6).at(-1)?.bytes).toBe(transactionBytesMax);
  });

  test.each([
    [16_000, 300],
    [125_000, 300],
    [125_000, 1500],
    [1_000_000, 300],
  ])('settles at some seconds on a link of %i bytes/s with a round trip of %i ms', (rate, roundTripMs) => {
    for (const { bytes } of drain(rate, roundTripMs, 40).slice(10)) {
      const seconds = bytes / rate + (3 * roundTripMs) / 1000;
      expect(seconds).toBeGreaterThan(2.4);
      expect(seconds).toBeLessThanOrEqual(limits.transactionMsMax / 1000);
    }
  });

  test('stays as it is while transactions take what there is', () => {
    const size = firstFlushSize(transactionBytesMax);
    expect(sizeAfterCommit(size, 10, false)).toEqual(size);
  });

  test('is halved when the link breaks, and then grows by little', () => {
    const size = { ...firstFlushSize(transactionBytesMax), bytes: 2 ** 20 };
    const broken = sizeAfterBreak(size);
    expect(broken.bytes).toBe(2 ** 19);
    expect(sizeAfterCommit(broken, 10, true).bytes).toBe(2 ** 19 + transactionBytesMin);
    let tiny = broken;
    for (let breaks = 0; breaks < 20; breaks += 1) tiny = sizeAfterBreak(tiny);
    expect(tiny.bytes).toBe(transactionBytesMin);
  });

  test('never leaves its bounds, whatever happens', () => {
    const happening = fc.oneof(
      fc.constant(null),
      fc.record({ elapsedMs: fc.nat(100_000), wasFull: fc.boolean() }),
    );
    const bound = fc.integer({ min: 1, max: transactionBytesMax });
    fc.assert(
      fc.property(bound, fc.array(happening, { maxLength: 200 }), (bytesMax, happenings) => {
        let size = firstFlushSize(bytesMax);
        for (const one of happenings) {
          size = one === null ? sizeAfterBreak(size) : sizeAfterCommit(size, one.elapsedMs, one.wasFull);
          expect(size.bytes).toBeGreaterThanOrEqual(Math.min(bytesMax, transactionBytesMin));
          expect(size.bytes).toBeLessThanOrEqual(bytesMax);
        }
      }),
    );
  });
});
