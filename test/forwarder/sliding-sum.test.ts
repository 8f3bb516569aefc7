import { describe, expect, test } from 'vitest';
import { SlidingSum } from '../../src/forwarder/progress/sliding-sum.ts';

describe('a sliding sum', () => {
  test('counts what is in the window, and forgets what is older', () => {
    const sum = new SlidingSum(10, 3, 0);
    sum.add(1, 0);
    sum.add(2, 15);
    expect(sum.sum(15)).toBe(3);
    expect(sum.sum(29)).toBe(3);
    expect(sum.sum(30)).toBe(2);
    expect(sum.sum(40)).toBe(0);
    sum.add(5, 1_000_000);
    expect(sum.sum(1_000_000)).toBe(5);
  });

  test('forgets all that it has passed over, however many buckets at once', () => {
    const sum = new SlidingSum(10, 3, 0);
    for (const ms of [5, 15, 25]) sum.add(1, ms);
    expect(sum.sum(45)).toBe(1);
    for (const ms of [45, 55, 65]) sum.add(1, ms);
    expect(sum.sum(1_000_005)).toBe(0);
  });

  test('says how long the window is that it sums up', () => {
    const sum = new SlidingSum(10, 3, 103);
    expect(sum.coveredMs(103)).toBe(0);
    expect(sum.coveredMs(108)).toBe(5);
    expect(sum.coveredMs(129)).toBe(26);
    // Buckets 11 to 13, so from 110 on.
    expect(sum.coveredMs(135)).toBe(25);
    expect(sum.coveredMs(1_000_009)).toBe(29);
  });

  test('gives a steady rate of a steady stream, wherever the window is cut', () => {
    const sum = new SlidingSum(10, 6, 0);
    for (let ms = 1; ms <= 500; ms += 1) {
      sum.add(3, ms);
      if (ms > 60) expect(sum.sum(ms) / (sum.coveredMs(ms) + 1)).toBeCloseTo(3, 5);
    }
  });

  test('begins anew where it is told to', () => {
    const sum = new SlidingSum(10, 3, 0);
    sum.add(7, 5);
    sum.restart(12);
    expect([sum.sum(14), sum.coveredMs(14)]).toEqual([0, 2]);
    sum.add(1, 14);
    expect([sum.sum(20), sum.coveredMs(20)]).toEqual([1, 8]);
  });

  test('is not disturbed by a time that has passed already', () => {
    const sum = new SlidingSum(10, 3, 0);
    sum.add(1, 55);
    sum.add(1, 20);
    expect(sum.sum(55)).toBe(2);
  });
});
