/** A value and when it was, milliseconds since 1970 UTC. */
export type Point = readonly [timeMs: number, value: number];

/**
 * No more than so many points that show the same course: of each stretch of time the smallest and the largest value, so that no peak is
 * lost. Points and answer are in the order of their times.
 */
export function fewerPoints(points: readonly Point[], pointsMax: number): readonly Point[] {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length <= pointsMax) return points;
  const stretches = Math.max(1, Math.floor(pointsMax / 2));
  const length = (last[0] - first[0]) / stretches || 1;
  const kept: Point[] = [];
  let stretch: Extremes | null = null;
  for (const point of points) {
    const index = Math.min(stretches - 1, Math.floor((point[0] - first[0]) / length));
    if (stretch === null || stretch.index !== index) {
      if (stretch !== null) kept.push(...inOrder(stretch));
      stretch = { index, low: point, high: point };
    } else if (point[1] < stretch.low[1]) stretch.low = point;
    else if (point[1] > stretch.high[1]) stretch.high = point;
  }
  if (stretch !== null) kept.push(...inOrder(stretch));
  return kept;
}

interface Extremes {
  readonly index: number;
  low: Point;
  high: Point;
}

function inOrder({ low, high }: Extremes): readonly Point[] {
  if (low === high) return [low];
  return low[0] <= high[0] ? [low, high] : [high, low];
}
