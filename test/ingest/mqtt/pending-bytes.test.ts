import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingBytes } from '../../../src/ingest/mqtt/pending-bytes.ts';

test('whoever does not fit gets its turn in line, and smaller ones do not pass it', () => {
  const budget = new PendingBytes(100);
  const granted: string[] = [];
  expect(budget.reserve(60, 60, () => {})).toBe(60);
  expect(budget.reserve(50, 50, () => granted.push('large'))).toBe(0);
  expect(budget.reserve(10, 10, () => granted.push('small'))).toBe(0);
  budget.release(30);
  expect(granted).toEqual(['large', 'small']);
  expect(budget.used).toBe(90);
});

test('those behind one that leaves the line are served', () => {
  const budget = new PendingBytes(100);
  const granted: string[] = [];
  const large = (): void => {
    granted.push('large');
  };
  budget.reserve(60, 60, () => {});
  budget.reserve(50, 50, large);
  budget.reserve(40, 40, () => granted.push('small'));
  budget.cancel(large);
  expect(granted).toEqual(['small']);
});

test('who is first gets what is left, up to what it asks for; who is in line gets all that it asks for', () => {
  const budget = new PendingBytes(100);
  const granted: number[] = [];
  expect(budget.reserve(10, 70, () => {})).toBe(70);
  expect(budget.reserve(10, 70, () => {})).toBe(30);
  expect(budget.reserve(10, 70, (bytes) => granted.push(bytes))).toBe(0);
  budget.release(40);
  expect(granted).toEqual([]);
  budget.release(30);
  expect(granted).toEqual([70]);
  expect(budget.used).toBe(100);
});

test('it never gives out more than it has, and serves everybody once all is given back', () => {
  const size = fc.integer({ min: 1, max: 50 });
  const sizes = fc.array(
    fc.tuple(size, size).map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(sizes, (wanted) => {
      const budget = new PendingBytes(50);
      const held: number[] = [];
      let served = 0;
      for (const [least, most] of wanted) {
        const take = (bytes: number): void => {
          expect(bytes).toBeGreaterThanOrEqual(least);
          expect(bytes).toBeLessThanOrEqual(most);
          held.push(bytes);
          served++;
        };
        const bytes = budget.reserve(least, most, take);
        if (bytes > 0) take(bytes);
        expect(budget.used).toBeLessThanOrEqual(50);
      }
      for (let bytes = held.shift(); bytes !== undefined; bytes = held.shift()) {
        budget.release(bytes);
        expect(budget.used).toBeLessThanOrEqual(50);
      }
      expect(served).toBe(wanted.length);
      expect(budget.used).toBe(0);
    }),
  );
});
