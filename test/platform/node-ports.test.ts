import { expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';

test('a sleep lasts as long as asked', async () => {
  const startMs = nodeClock.monotonicMs();
  await nodeClock.sleep(30);
  // Node's timers count whole milliseconds.
  expect(nodeClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(29);
  expect(Math.abs(nodeClock.wallMs() - Date.now())).toBeLessThan(1_000);
});

test('a sleep ends as soon as it is aborted, without an error', async () => {
  const abort = new AbortController();
  const asleep = nodeClock.sleep(60_000, abort.signal);
  abort.abort();
  await asleep;
  await nodeClock.sleep(60_000, abort.signal);
});

test('random numbers are in [0, 1) and differ, random bytes are as many as asked', () => {
  const numbers = Array.from({ length: 1000 }, () => nodeRandom.next());
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers).size).toBe(1000);
  expect(Math.abs(numbers.reduce((sum, number) => sum + number, 0) / 1000 - 0.5)).toBeLessThan(0.1);
  expect(nodeRandom.bytes(16)).toHaveLength(16);
  expect(nodeRandom.bytes(16)).not.toEqual(nodeRandom.bytes(16));
});
