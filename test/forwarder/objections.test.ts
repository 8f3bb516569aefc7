import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { PartitionObjection, Verdict } from '../../src/forwarder/cluster/target.ts';
import {
  type Care,
  decodeAsides,
  encodeAsides,
  heed,
  isPaused,
  isSuspected,
  noCare,
  passAsides,
  readPosition,
  settle,
  settleOpened,
} from '../../src/forwarder/mirror/objections.ts';

const { forwardBatchBytesMax } = limits;

const name = { topic: 'a', partition: 0 };
const position = (nextOffset: number) => ({ ...name, nextOffset, lives: [] });

const objection = (
  verdict: Verdict,
  fromOffset: number,
  nextOffset: number,
  badOffsets: readonly number[] = [],
): PartitionObjection => ({
  ...name,
  verdict,
  cause: 'CAUSE',
  message: 'the message',
  batch: { fromOffset, nextOffset, recordCount: nextOffset - fromOffset, badOffsets },
});

const at = (atMs: number, isOpening = false) => ({ atMs, isOpening });

/** Heeds the same objection so many times. */
const heedOften = (care: Care, times: number, one: PartitionObjection) => {
  let heeded = heed(care, [], at(0));
  let current = care;
  for (let time = 0; time < times; time += 1) {
    heeded = heed(current, [one], at(0));
    current = heeded.care;
  }
  return heeded;
};

const rangesOf = ({ ranges }: ReturnType<typeof heed>) =>
  ranges.map(({ fromOffset, nextOffset }) => [fromOffset, nextOffset]);

describe('what is said against a batch', () => {
  test('sets aside exactly the records that the cluster names', () => {
    const heeded = heed(noCare, [objection('bad', 10, 20, [12, 13, 17])], at(0));
    expect(heeded.isAnswered).toBe(true);
    expect(rangesOf(heeded)).toEqual([
      [12, 14],
      [17, 18],
    ]);
    expect(heeded.ranges[0]?.cause).toBe('CAUSE');
  });

  test('has it cut in halves until the guilty record is alone', () => {
    let care = noCare;
    let [from, to] = [0, 1000];
    const guilty = 421;
    let sessions = 0;
    for (;;) {
      const heeded = heed(care, [objection('bad', from, to)], at(0));
      care = heeded.care;
      sessions += 1;
      if (heeded.ranges.length > 0) {
        expect(rangesOf(heeded)).toEqual([[guilty, guilty + 1]]);
        break;
      }
      const { cuts } = readPosition(care, position(0), forwardBatchBytesMax);
      [from, to] = [
        Math.max(from, ...cuts.filter((cut) => cut <= guilty)),
        Math.min(to, ...cuts.filter((cut) => cut > guilty)),
      ];
    }
    expect(sessions).toBeLessThanOrEqual(12);
  });

  test('makes batches of its topic smaller if it is too large, and sets a single record aside', () => {
    const once = heed(noCare, [objection('too-large', 0, 9)], at(0));
    expect(once.ranges).toEqual([]);
    expect(readPosition(once.care, position(0), forwardBatchBytesMax).batchBytesMax).toBe(
      forwardBatchBytesMax / 2,
    );
    expect(readPosition(once.care, position(0), 1000).batchBytesMax).toBe(1000);
    expect(readPosition(once.care, { ...position(0), topic: 'b' }, forwardBatchBytesMax).batchBytesMax).toBe(
      limits.forwardBatchBytesMax,
    );
    expect(rangesOf(heed(once.care, [objection('too-large', 4, 5)], at(0)))).toEqual([[4, 5]]);
  });

  test('counts only if it is said again and again where it may be the broker’s fault', () => {
    const batch = objection('doubtful', 0, 8);
    for (let times = 1; times < limits.doubtfulRefusalsMax; times += 1) {
      expect(heedOften(noCare, times, batch)).toMatchObject({ isAnswered: false, ranges: [] });
    }
    const cut = heedOften(noCare, limits.doubtfulRefusalsMax, batch);
    expect(cut.isAnswered).toBe(true);
    expect(readPosition(cut.care, position(0), forwardBatchBytesMax).cuts).toEqual([0, 4, 8]);
    // A batch that is taken in between begins the count anew.
    expect(heed(settle(cut.care, [position(4)]), [objection('doubtful', 4, 8)], at(0)).isAnswered).toBe(
      false,
    );
  });

  test('is believed of a few records in a row only: then it must be the broker, and the partition waits', () => {
    let care = noCare;
    for (let record = 0; record < limits.doubtfulAsidesMax; record += 1) {
      const heeded = heedOften(care, limits.doubtfulRefusalsMax, objection('doubtful', record, record + 1));
      expect(rangesOf(heeded)).toEqual([[record, record + 1]]);
      care = heeded.care;
    }
    const last = heedOften(care, limits.doubtfulRefusalsMax, objection('doubtful', 9, 10));
    expect(last.ranges).toEqual([]);
    expect(isPaused(last.care.pauses, name)).toBe(true);
  });

  test('is heard once for each partition: what follows it is only its consequence', () => {
    const heeded = heed(noCare, [objection('bad', 3, 4), objection('bad', 4, 5)], at(0));
    expect(rangesOf(heeded)).toEqual([[3, 4]]);
  });

  test('never sets aside more ranges than a partition may have', () => {
    const every2nd = Array.from({ length: 500 }, (_, index) => index * 2);
    const { ranges } = heed(noCare, [objection('bad', 0, 1000, every2nd)], at(0));
    expect(ranges).toHaveLength(limits.asideRangesMax);
    expect(ranges.at(-1)?.fromOffset).toBe((limits.asideRangesMax - 1) * 2);
  });
});

describe('what is said against a partition or a topic', () => {
  const unwell: PartitionObjection = { ...objection('unwell', 0, 1), batch: null };
  const { suspicionMs, suspicionKeptMs } = limits;

  test('pauses a partition once it was said for some seconds, however often, and nothing but it', () => {
    const often = heedOften(noCare, 20, unwell);
    expect(often).toMatchObject({ isAnswered: false, isSoonOver: true });
    expect(heed(often.care, [unwell], at(suspicionMs - 1))).toMatchObject({ isAnswered: false });
    const { care, isAnswered, isSoonOver } = heed(often.care, [unwell], at(suspicionMs));
    expect({ isAnswered, isSoonOver }).toEqual({ isAnswered: true, isSoonOver: false });
    expect(care.pauses).toEqual([{ ...name, message: 'the message' }]);
    expect(isPaused(care.pauses, { topic: 'a', partition: 1 })).toBe(false);
  });

  test('pauses it again at the first word after the pause, unless it was written to or long not spoken of', () => {
    const before = heed(heed(noCare, [unwell], at(0)).care, [unwell], at(suspicionMs)).care;
    const care = { ...before, pauses: [] };
    const laterMs = suspicionMs + limits.pauseMs;
    expect(isSuspected(care, [unwell])).toBe(true);
    expect(isSuspected(care, [unwell, { ...unwell, partition: 1 }])).toBe(false);
    expect(heed(care, [unwell], at(laterMs)).isAnswered).toBe(true);
    expect(heed(settle(care, [position(4)]), [unwell], at(laterMs)).isAnswered).toBe(false);
    const longAfter = heed(care, [unwell], at(suspicionMs + suspicionKeptMs + 1));
    expect(longAfter.isAnswered).toBe(false);
    expect(heed(longAfter.care, [unwell], at(suspicionMs + suspicionKeptMs + 2)).isAnswered).toBe(false);
  });

  test('forgets what a session start has found once one finds nothing, unless it is left out', () => {
    const found = heed(noCare, [unwell], at(0, true)).care;
    expect(heed(found, [unwell], at(suspicionMs, true)).isAnswered).toBe(true);
    expect(settleOpened(found).suspects).toEqual([]);
    const { care } = heed(found, [unwell], at(suspicionMs, true));
    expect(settleOpened(care)).toEqual(care);
    expect(settleOpened({ ...care, pauses: [] }).suspects).toEqual([]);
    // Only records tell whether a refusal of records is over.
    const refused = heed(noCare, [unwell], at(0)).care;
    expect(settleOpened(refused)).toEqual(refused);
  });

  test('pauses a whole topic at once', () => {
    const { care } = heed(noCare, [{ topic: 'a', partition: null, message: 'forbidden' }], at(0));
    expect(isPaused(care.pauses, { topic: 'a', partition: 7 })).toBe(true);
    expect(isPaused(care.pauses, { topic: 'b', partition: 7 })).toBe(false);
  });
});

describe('what is set aside', () => {
  test('is read up to, and passed', () => {
    const asides = [
      { ...name, fromOffset: 5, nextOffset: 6 },
      { ...name, fromOffset: 6, nextOffset: 8 },
    ];
    expect(readPosition({ ...noCare, asides }, position(2), forwardBatchBytesMax).untilOffset).toBe(5);
    expect(passAsides(asides, name, 2)).toBe(2);
    expect(passAsides(asides, name, 5)).toBe(8);
    expect(passAsides(asides, { topic: 'a', partition: 1 }, 5)).toBe(5);
  });

  test('is the same when it is read again; adjacent ranges are one', () => {
    const range = fc.record({ fromOffset: fc.nat(20), length: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
        let from = 0;
        const asides = ranges.map(({ fromOffset, length }) => {
          const aside = { ...name, fromOffset: from + fromOffset, nextOffset: from + fromOffset + length };
          from = aside.nextOffset;
          return aside;
        });
        const decoded = decodeAsides(encodeAsides(asides.toReversed()), 'a', 0);
        const read = decoded.ok ? decoded.value : [];
        for (let offset = 0; offset <= from; offset += 1)
          expect(passAsides(read, name, offset)).toBe(passAsides(asides, name, offset));
        expect(read.every(({ nextOffset }, index) => nextOffset !== read[index + 1]?.fromOffset)).toBe(true);
      }),
    );
  });

  test.each([
    '',
    '{}',
    '{"version":2,"ranges":[]}',
    '{"version":1}',
    '{"version":1,"ranges":[[1]]}',
    '{"version":1,"ranges":[[2,2]]}',
    '{"version":1,"ranges":[[-1,2]]}',
  ])('is not guessed from %s', (text) => {
    expect(decodeAsides(Buffer.from(text), 'a', 0).ok).toBe(false);
  });
});
