import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fewerPoints, type Point } from '../../../src/edge/admin/series-points.ts';

describe('fewer points', () => {
  test('are the same points where these are few enough', () => {
    const points: readonly Point[] = [
      [1, 5],
      [2, 4],
      [3, 9],
    ];
    expect(fewerPoints(points, 3)).toBe(points);
    expect(fewerPoints([], 3)).toEqual([]);
  });

  test('keep every peak: a single wild value among thousands is still there', () => {
    const points: Point[] = Array.from({ length: 5_000 }, (_, index) => [
      index * 1000,
      Math.sin(index / 100),
    ]);
    points[3_333] = [3_333_000, -127];
    points[3_334] = [3_334_000, 85];
    const fewer = fewerPoints(points, 200);
    expect(fewer.length).toBeLessThanOrEqual(200);
    expect(fewer).toContainEqual([3_333_000, -127]);
    expect(fewer).toContainEqual([3_334_000, 85]);
  });

  test('are bounded, of the given ones, in order, with the same extremes, whatever they are', () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 1e6 }), fc.double({ noNaN: true, min: -1e9, max: 1e9 }));
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 300 }),
        fc.integer({ min: 2, max: 40 }),
        (given, pointsMax) => {
          const points: readonly Point[] = given.toSorted(([one], [other]) => one - other);
          const fewer = fewerPoints(points, pointsMax);
          expect(fewer.length).toBeLessThanOrEqual(Math.max(pointsMax, 2));
          const all = new Set<Point>(points);
          expect(fewer.every((one) => all.has(one))).toBe(true);
          expect(fewer.map(([timeMs]) => timeMs)).toEqual(
            fewer.map(([timeMs]) => timeMs).toSorted((a, b) => a - b),
          );
          const values = (some: readonly Point[]) => some.map(([, value]) => value);
          if (points.length > 0) {
            expect(Math.max(...values(fewer))).toBe(Math.max(...values(points)));
            expect(Math.min(...values(fewer))).toBe(Math.min(...values(points)));
          }
        },
      ),
    );
  });
});
