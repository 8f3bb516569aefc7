import { expect, test } from 'vitest';
import { StallWatch } from '../../../src/ingest/serial/stall-watch.ts';
import { until, VirtualClock } from '../../support/virtual-time.ts';

const watch = (isReading: () => boolean) => {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const changes: (readonly [boolean, number])[] = [];
  const onChange = (isStalled: boolean): void =>
    void changes.push([isStalled, clock.monotonicMs() - startMs]);
  const stalls = new StallWatch({ clock, stalledAfterMs: 1_000, isReading, onChange });
  return { clock, changes, stalls };
};

test('silence counts from the opening, then from the last byte, and is told once', async () => {
  const { clock, changes, stalls } = watch(() => true);
  const stopping = new AbortController();
  const running = stalls.run(stopping.signal);
  await until('it is stalled', () => changes.length === 1);
  await until('time passes', () => clock.sleeps.length > 5);
  expect(changes).toEqual([[true, 1_000]]);
  stalls.heard();
  expect(changes[1]?.[0]).toBe(false);
  await until('it is stalled again', () => changes.length === 3);
  expect((changes[2]?.[1] ?? 0) - (changes[1]?.[1] ?? 0)).toBeGreaterThanOrEqual(1_000);
  stopping.abort();
  await running;
});

test('a port that is held back is not stalled', async () => {
  let isReading = false;
  const { clock, changes, stalls } = watch(() => isReading);
  const stopping = new AbortController();
  const running = stalls.run(stopping.signal);
  await until('time passes', () => clock.sleeps.length > 10);
  expect(changes).toEqual([]);
  isReading = true;
  await until('it is stalled', () => changes.length === 1);
  stopping.abort();
  await running;
});
