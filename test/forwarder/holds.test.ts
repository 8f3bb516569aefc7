import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Standing, settleHolds } from '../../src/forwarder/mirror/holds.ts';
import type { PartitionInfo } from '../../src/log/types.ts';

const at = (topic: string, partition: number, nextOffset: number) => ({
  topic,
  partition,
  nextOffset,
  lives: [{ life: 'A', firstOffset: 0 }],
});

const info = (topic: string, partition: number, logStartOffset: number, highWatermark: number) => ({
  topic,
  partition,
  logStartOffset,
  highWatermark,
});

const offsets = (standing: Standing | null) => standing?.positions.map(({ nextOffset }) => nextOffset);

describe('holds', () => {
  test('change nothing while every position is in the log', () => {
    const standing = { positions: [at('a', 0, 5), at('gaps', 0, 0)], holds: [] };
    expect(settleHolds(standing, [info('a', 0, 5, 9), info('gaps', 0, 0, 2)], [], [])).toBeNull();
    // A topic that is gone.
    expect(settleHolds(standing, [], [], [])).toBeNull();
  });

  test('begin when the log starts behind the position, and end when gaps has come so far', () => {
    const log = [info('a', 0, 7, 9), info('gaps', 0, 0, 2), info('gaps', 1, 0, 4)];
    const positions = [at('a', 0, 5), at('gaps', 0, 2), at('gaps', 1, 3)];
    const held = settleHolds({ positions, holds: [] }, log, [], []);
    expect(offsets(held)).toEqual([5, 2, 3]);
    expect(held?.holds).toMatchObject([{ topic: 'a', partition: 0, toOffset: 7 }]);
    expect(settleHolds(held ?? { positions, holds: [] }, log, [], [])).toBeNull();
    const told = { positions: [at('a', 0, 5), at('gaps', 0, 2), at('gaps', 1, 4)], holds: held?.holds ?? [] };
    // What gaps gets meanwhile tells of others.
    const later = [info('a', 0, 7, 9), info('gaps', 0, 0, 20), info('gaps', 1, 0, 40)];
    expect(settleHolds(told, later, [], [])).toEqual({
      positions: [at('a', 0, 7), at('gaps', 0, 2), at('gaps', 1, 4)],
      holds: [],
    });
  });

  test('do not begin without anything in gaps to wait for', () => {
    const standing = { positions: [at('a', 0, 5)], holds: [] };
    expect(offsets(settleHolds(standing, [info('a', 0, 7, 9)], [], []))).toEqual([7]);
    expect(offsets(settleHolds(standing, [info('a', 0, 7, 9), info('gaps', 0, 0, 0)], [], []))).toEqual([7]);
  });

  test('of a partition of gaps that the session has not opened wait for it', () => {
    const standing = { positions: [at('a', 0, 5)], holds: [] };
    expect(offsets(settleHolds(standing, [info('a', 0, 7, 9), info('gaps', 0, 0, 1)], [], []))).toEqual([5]);
  });

  test('always end once gaps is sent as far as it goes, whatever happens to the log meanwhile', () => {
    const offset = fc.nat(20);
    const moves = fc.array(
      fc.record({ aStart: offset, gapsStart: offset, gapsEnd: offset, sentOfGaps: offset }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(moves, (all) => {
        let standing: Standing = { positions: [at('a', 0, 0), at('gaps', 0, 0)], holds: [] };
        let log: readonly PartitionInfo[] = [];
        const settle = (): void => {
          for (let round = 0; round < 3; round += 1)
            standing = settleHolds(standing, log, [], []) ?? standing;
        };
        const send = (count: number): void => {
          const end = log.find(({ topic }) => topic === 'gaps')?.highWatermark ?? 0;
          const positions = standing.positions.map((position) =>
            position.topic === 'gaps'
              ? {
                  ...position,
                  nextOffset: Math.max(position.nextOffset, Math.min(end, position.nextOffset + count)),
                }
              : position,
          );
          standing = { ...standing, positions };
        };
        for (const { aStart, gapsStart, gapsEnd, sentOfGaps } of all) {
          log = [info('a', 0, aStart, 20), info('gaps', 0, Math.min(gapsStart, gapsEnd), gapsEnd)];
          settle();
          send(sentOfGaps);
        }
        settle();
        send(20);
        settle();
        const start = log.find(({ topic }) => topic === 'a')?.logStartOffset ?? 0;
        expect(standing.holds).toEqual([]);
        expect(standing.positions[0]?.nextOffset).toBeGreaterThanOrEqual(start);
      }),
    );
  });
});
