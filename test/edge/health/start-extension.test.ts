import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { extendStart } from '../../../src/edge/health/start-extension.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimServiceManager } from '../../support/sim-service-manager.ts';
import { turns } from '../../support/turns.ts';

/** A start under way on a disk that answers each second as long as the test says so. */
function starting() {
  const clock = new ManualClock();
  const manager = new SimServiceManager({ clock, startMs: 90_000 });
  const over = new AbortController();
  const disk = { answers: true, operations: 0 };
  const done = extendStart(manager, clock, () => disk.operations, over.signal);
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      if (disk.answers) disk.operations += 1;
      clock.pass(1_000);
      await turns();
    }
  };
  return { manager, over, disk, done, pass };
}

test('a start that takes an hour is not ended while the disk answers', async () => {
  const { manager, over, done, pass } = starting();
  await pass(3_600);
  expect(manager.ended).toBeNull();
  expect(manager.statuses.slice(0, 2)).toEqual(['starting', 'starting: it takes long, and the disk answers']);
  over.abort();
  await done;
  const { length } = manager.told;
  await pass(100);
  expect(manager.told).toHaveLength(length);
});

test('a start that hangs is ended soon after the disk answered last', async () => {
  const { manager, over, disk, done, pass } = starting();
  await pass(600);
  disk.answers = false;
  await pass(limits.startLookMs / 1000);
  expect(manager.ended).toBeNull();
  await pass((limits.startLookMs + limits.startExtensionMs) / 1000);
  expect(manager.ended).toBe('starting');
  over.abort();
  await done;
});
