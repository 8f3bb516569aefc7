import { describe, expect, test } from 'vitest';
import { nextFetchBytes } from '../../src/forwarder/kafka/fetch-size.ts';

const KIB = 1024;

describe('the next Fetch of checkpoints asks for', () => {
  test.each([
    ['four times as much after a full answer that came at once', [8 * KIB, 8 * KIB, 5], 32 * KIB],
    ['what fits into five seconds after a full one that took its time', [8 * KIB, 8 * KIB, 2_500], 16 * KIB],
    ['no more than a mebibyte', [1024 * KIB, 1024 * KIB, 5], 1024 * KIB],
    ['less after one that took too long', [64 * KIB, 64 * KIB, 10_000], 32 * KIB],
    [
      'no more after a batch that was larger than asked for and took too long',
      [8 * KIB, 64 * KIB, 6_000],
      8 * KIB,
    ],
    ['as much as before after one that ended with its segment', [64 * KIB, 100, 5], 64 * KIB],
    ['less after a small one that took too long', [64 * KIB, 10 * KIB, 5_001], 10_237],
    ['no less than eight kibibytes', [64 * KIB, 100, 20_000], 8 * KIB],
  ] as const)('%s', (_, [asked, bytes, elapsedMs], expected) => {
    expect(nextFetchBytes(asked, bytes, elapsedMs)).toBe(expected);
  });
});
