import { expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { StartedParts } from '../../src/edge/started-parts.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';

const never = (): Promise<void> => new Promise(() => {});

test('parts stop one after the other, the last one first', async () => {
  const parts = new StartedParts(nodeClock, silentLogger);
  const events: string[] = [];
  for (const name of ['log', 'mqtt', 'admin']) {
    parts.add(name, async () => {
      events.push(`${name} begins`);
      await nodeClock.sleep(1);
      events.push(`${name} ends`);
    });
  }
  expect(await parts.stop(5_000)).toEqual([]);
  expect(events).toEqual(['admin', 'mqtt', 'log'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('a stuck part is named, and leaves those below it time to stop', async () => {
  const parts = new StartedParts(nodeClock, silentLogger);
  let logClosed = false;
  parts.add('log', async () => {
    await nodeClock.sleep(50);
    logClosed = true;
  });
  parts.add('mqtt', never);
  parts.add('admin', never);
  const startMs = nodeClock.monotonicMs();
  expect(await parts.stop(1_000)).toEqual(['admin', 'mqtt']);
  expect(logClosed).toBe(true);
  expect(nodeClock.monotonicMs() - startMs).toBeLessThan(2_000);
});

test('an error of one part is thrown after the others were stopped', async () => {
  const parts = new StartedParts(nodeClock, silentLogger);
  let logClosed = false;
  parts.add('log', async () => {
    logClosed = await Promise.resolve(true);
  });
  parts.add('mqtt', () => Promise.reject(new Error('a bug')));
  await expect(parts.stop(1_000)).rejects.toThrow('a bug');
  expect(logClosed).toBe(true);
});

test('a second stop has nothing to do', async () => {
  const parts = new StartedParts(nodeClock, silentLogger);
  let stops = 0;
  parts.add('log', async () => {
    stops += await Promise.resolve(1);
  });
  await parts.stop(1_000);
  await parts.stop(1_000);
  expect(stops).toBe(1);
});
