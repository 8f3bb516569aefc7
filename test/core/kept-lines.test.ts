import { expect, test } from 'vitest';
import { KeptLines } from '../../src/core/kept-lines.ts';
import { limits } from '../../src/core/limits.ts';

test('the newest lines are kept, bounded in number, in length each and together, and the others are counted', () => {
  const kept = new KeptLines();
  expect(kept.newest()).toEqual({ lines: [], leftOut: 0 });
  for (let index = 0; index < limits.keptLogLinesMax + 5; index++) kept.add(`line ${index}`);
  expect(kept.newest().leftOut).toBe(5);
  expect(kept.newest().lines).toHaveLength(limits.keptLogLinesMax);
  expect([kept.newest().lines[0], kept.newest().lines.at(-1)]).toEqual([
    'line 5',
    `line ${limits.keptLogLinesMax + 4}`,
  ]);
  for (let index = 0; index < 200; index++) kept.add('x'.repeat(limits.keptLogLineLengthMax * 2));
  const { lines, leftOut } = kept.newest();
  expect(lines.join('').length).toBeLessThanOrEqual(limits.keptLogLengthMax);
  expect(lines.at(-1)).toHaveLength(limits.keptLogLineLengthMax);
  expect(lines.length + leftOut).toBe(limits.keptLogLinesMax + 205);
});
