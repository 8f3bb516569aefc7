import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  batchBytesMaxOf,
  type FlushSize,
  firstFlushSize,
  sizeAfterBreak,
  sizeAfterCommit,
  sizeWithin,
} from '../../src/forwarder/mirror/flush-size.ts';

const { transactionBytesMax, transactionBytesMin } = limits;

/** A backlog over a link of so many bytes a second, with a round trip of so long. */
function drain(bytesPerSecond: number, roundTripMs: number, transactions: number): FlushSize[] {
  const sizes = [firstFlushSize(transactionBytesMax)];
  for (let index = 0; index < transactions; index += 1) {
    const size = sizes.at(-1) ?? firstFlushSize(transactionBytesMax);
    const elapsedMs = 3 * roundTripMs + (size.bytes / bytesPerSecond) * 1000;
    const fails = elapsedMs > limits.transactionTimeoutMs;
    sizes.push(
      fails ? sizeAfterBreak(size, limits.transactionTimeoutMs) : sizeAfterCommit(size, elapsedMs, true),
    );
  }
  return sizes;
}

describe('the size of a transaction', () => {
  test('reaches the largest one on a fast link within three transactions', () => {
    expect(drain(100e6, 1, 3).at(-1)?.bytes).toBe(transactionBytesMax);
  });

  test('grows the slower the nearer it is to what is wanted', () => {
    const [first = 0, second = 0, third = 0, fourth = 0] = drain(1e6, 40, 3).map(({ bytes }) => bytes);
    expect([second / first, third / second, fourth / third]).toEqual([4, expect.closeTo(2.1, 1), 2]);
    expect(drain(50_000, 300, 2).map(({ bytes }) => bytes / 2 ** 18)).toEqual([1, 1, 1]);
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
    const broken = sizeAfterBreak(size, 10);
    expect(broken.bytes).toBe(2 ** 19);
    expect(sizeAfterCommit(broken, 10, true).bytes).toBe(2 ** 19 + limits.transactionBytesStep);
    let tiny = broken;
    for (let breaks = 0; breaks < 20; breaks += 1) tiny = sizeAfterBreak(tiny, 10);
    expect(tiny.bytes).toBe(transactionBytesMin);
    expect(sizeAfterCommit(tiny, 10, true).bytes).toBe(2 * transactionBytesMin);
  });

  test('is cut to what takes as long as is wanted when one fails that took long, and then grows fast up to the half', () => {
    const size = { ...firstFlushSize(transactionBytesMax), bytes: 2 ** 20 };
    const broken = sizeAfterBreak(size, limits.transactionTimeoutMs);
    expect(broken.bytes).toBe(Math.floor(2 ** 20 / 12));
    let grown = broken;
    for (let commits = 0; commits < 2; commits += 1) grown = sizeAfterCommit(grown, 10, true);
    expect(grown.bytes).toBe(2 ** 19);
  });

  test.each([2_000, 3_000, 140_000])('fits a link that fell to %i bytes/s after two failures', (rate) => {
    let size: FlushSize = { ...firstFlushSize(transactionBytesMax), bytes: transactionBytesMax };
    for (let failures = 0; failures < 2; failures += 1)
      size = sizeAfterBreak(size, limits.transactionTimeoutMs);
    expect(size.bytes / rate).toBeLessThan(limits.kafkaRequestTimeoutMs / 1000);
  });

  test('has sealed batches leave as they are until one was too slow', () => {
    const size = firstFlushSize(transactionBytesMax);
    const { sealedBatchBytesMax, forwardBatchBytesMax } = limits;
    expect(batchBytesMaxOf(size)).toBe(forwardBatchBytesMax);
    // One that took long, but got through.
    const slow = sizeAfterCommit({ ...size, bytes: sealedBatchBytesMax }, 40_000, true);
    expect(batchBytesMaxOf(slow)).toBe(forwardBatchBytesMax);
    expect(batchBytesMaxOf(sizeAfterBreak(slow, 10))).toBe(sealedBatchBytesMax / 2);
    // The bound of whoever wants less is none for batches.
    expect(batchBytesMaxOf(firstFlushSize(1))).toBe(transactionBytesMin);
  });

  test('never leaves its bounds, whatever happens', () => {
    const happening = fc.oneof(
      fc.record({ elapsedMs: fc.nat(100_000) }),
      fc.record({ elapsedMs: fc.nat(100_000), wasFull: fc.boolean() }),
    );
    const bound = fc.integer({ min: 1, max: transactionBytesMax });
    fc.assert(
      fc.property(bound, fc.array(happening, { maxLength: 200 }), (bytesMax, happenings) => {
        let size = firstFlushSize(bytesMax);
        for (const one of happenings) {
          size =
            'wasFull' in one
              ? sizeAfterCommit(size, one.elapsedMs, one.wasFull)
              : sizeAfterBreak(size, one.elapsedMs);
          expect(size.bytes).toBeGreaterThanOrEqual(Math.min(bytesMax, transactionBytesMin));
          expect(size.bytes).toBeLessThanOrEqual(bytesMax);
        }
      }),
    );
  });
});

describe('another bound', () => {
  test('counts at once, and lets it grow again as before', () => {
    const first = firstFlushSize(4 * 1024 * 1024);
    const small = sizeWithin(first, 64 * 1024);
    expect(small).toEqual({ bytes: 64 * 1024, steadyBytes: 64 * 1024, bytesMax: 64 * 1024 });
    expect(sizeWithin(small, first.bytesMax)).toEqual({
      bytes: 64 * 1024,
      steadyBytes: first.bytesMax,
      bytesMax: first.bytesMax,
    });
  });

  test('does not forget what the link broke with', () => {
    const broken = sizeAfterBreak(firstFlushSize(4 * 1024 * 1024), 1);
    expect(sizeWithin(broken, 8 * 1024 * 1024).steadyBytes).toBe(broken.steadyBytes);
  });
});
