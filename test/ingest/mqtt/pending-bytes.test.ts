import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingBytes } from '../../../src/ingest/mqtt/pending-bytes.ts';

test('whoever does not fit gets its turn in line, and smaller ones do not pass it', () => {
  const budget = new PendingBytes(100);
  const granted: string[] = [];
  expect(budget.reserve(60, () => {})).toBe(true);
  expect(budget.reserve(50, () => granted.push('large'))).toBe(false);
  expect(budget.reserve(10, () => granted.push('small'))).toBe(false);
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
  budget.reserve(60, () => {});
  budget.reserve(50, large);
  budget.reserve(40, () => granted.push('small'));
  budget.cancel(large);
  expect(granted).toEqual(['small']);
});

test('it never gives out more than it has, and serves everybody once all is given back', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 });
  fc.assert(
    fc.property(sizes, (wanted) => {
      const budget = new PendingBytes(50);
      const held: number[] = [];
      let served = 0;
      for (const bytes of wanted) {
        const take = (): void => {
          held.push(bytes);
          served++;
        };
        if (budget.reserve(bytes, take)) take();
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
