import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { pinoLogger } from '../../src/platform/pino-logger.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

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

test('each log line is one JSON object with level, time, fields and message', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'log');
  const fileDescriptor = openSync(path, 'a');
  const logger = pinoLogger('info', fileDescriptor);
  logger.debug({}, 'not shown');
  logger.info({ topic: 'readings' }, 'line\nbreak');
  logger
    .child({ part: 'mqtt' })
    .error({ error: new Error('outer', { cause: new Error('inner') }) }, 'failed');
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  closeSync(fileDescriptor);
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(2);
  expect(first).toMatchObject({ level: 'info', topic: 'readings', message: 'line\nbreak' });
  expect(Date.parse(String(first?.['time']))).toBeGreaterThan(0);
  expect(second).toMatchObject({ level: 'error', part: 'mqtt', message: 'failed' });
  expect(JSON.stringify(second)).toMatch(/outer.*inner/);
});

test('another level counts for all loggers, whenever they were made', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'log');
  const fileDescriptor = openSync(path, 'a');
  const logger = pinoLogger('info', fileDescriptor);
  const child = logger.child({ part: 'mqtt' });
  const grandchild = child.child({ source: 'a' });
  logger.setLevel('debug');
  for (const one of [logger, child, grandchild, child.child({})]) one.debug({}, 'shown');
  logger.setLevel('warn');
  for (const one of [logger, child, grandchild]) one.info({}, 'not shown');
  closeSync(fileDescriptor);
  expect((await readFile(path, 'utf8')).match(/"message":"shown"/g)).toHaveLength(4);
  expect(await readFile(path, 'utf8')).not.toContain('not shown');
});
