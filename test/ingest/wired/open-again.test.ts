import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { openAgainAndAgain } from '../../../src/ingest/wired/open-again.ts';
import { VirtualClock } from '../../support/virtual-time.ts';

test('waits longer and longer, and anew after an attempt that brought something', async () => {
  const { serialOpenBackoffMsMin: min, serialOpenBackoffMsMax: max } = limits;
  const clock = new VirtualClock();
  const stopped = new AbortController();
  const brought = [false, false, false, false, false, true, false];
  const attempt = (): Promise<boolean> => {
    const something = brought.shift() ?? false;
    if (brought.length === 0) stopped.abort();
    return Promise.resolve(something);
  };
  await openAgainAndAgain(attempt, clock, stopped.signal);
  expect(clock.sleeps).toEqual([min, min * 2, min * 4, min * 8, max, min, min * 2]);
});
