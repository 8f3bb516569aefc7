import { closeSync, fstatSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import { type LogTarget, logTargetOf } from '../../src/platform/log-target.ts';
import { pinoLogger } from '../../src/platform/pino-logger.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type Level = Parameters<typeof pinoLogger>[0];

/** What stands in the file right after the calls, with nothing waited for. */
async function written(level: Level, target: LogTarget, say: (logger: Logger) => void): Promise<string[]> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'log');
  const fileDescriptor = openSync(path, 'a');
  say(pinoLogger(level, fileDescriptor, target));
  const text = await readFile(path, 'utf8');
  closeSync(fileDescriptor);
  expect(text).toMatch(/\n$/);
  return text.trimEnd().split('\n');
}

const failure = (): Error =>
  Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'EIO' });

test('in a file each line is one JSON object with level, time, fields and message', async () => {
  const lines = await written('info', 'file', (logger) => {
    logger.debug({}, 'not shown');
    logger.info({ topic: 'readings' }, 'line\nbreak');
    logger.child({ part: 'mqtt' }).error({ error: failure() }, 'failed');
  });
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(2);
  expect(first).toMatchObject({ level: 'info', topic: 'readings', message: 'line\nbreak' });
  expect(Date.parse(String(first?.['time']))).toBeGreaterThan(0);
  expect(second).toMatchObject({ level: 'error', part: 'mqtt', message: 'failed' });
  expect(JSON.stringify(second)).toMatch(/outer.*inner/);
});

test('in the journal a priority of syslog stands before the JSON', async () => {
  const lines = await written('debug', 'journal', (logger) => {
    logger.debug({}, 'one');
    logger.info({}, '"level":"error"');
    logger.warn({}, 'three');
    logger.child({ part: 'log' }).error({}, 'four');
  });
  expect(lines.map((line) => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>']);
  expect(lines.map((line) => JSON.parse(line.slice(3)).message)).toEqual([
    'one',
    '"level":"error"',
    'three',
    'four',
  ]);
});

test('on a terminal each line is local time, level, where it comes from, message and the other fields', async () => {
  const lines = await written('info', 'terminal', (logger) => {
    logger.info({}, 'begun');
    const port = logger.child({ part: 'serial' }).child({ port: 'press' });
    port.warn({ records: 3, file: 'a/b.log', why: 'two words', range: { from: 1 }, none: null }, 'lost');
    port.error({ error: failure() }, 'it failed');
  });
  const now = new Date();
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info {2}begun$/);
  expect(Math.abs(new Date(lines[0]?.slice(0, 23) ?? '').getTime() - now.getTime())).toBeLessThan(60_000);
  expect(lines[1]?.slice(24)).toBe(
    'warn  serial press: lost records=3 file=a/b.log why="two words" range={"from":1} none=null',
  );
  expect(lines[2]?.slice(24)).toBe('error serial press: it failed error="outer: inner"');
  expect(lines).toHaveLength(3);
});

test('on a terminal stacks follow at level debug only, indented', async () => {
  const lines = await written('debug', 'terminal', (logger) => logger.error({ error: failure() }, 'failed'));
  expect(lines[0]).toMatch(/ error failed error="outer: inner"$/);
  expect(lines.slice(1).join('\n')).toMatch(/^ {4}Error: outer\n {8}at .*caused by: Error: inner/s);
  expect(lines.slice(1).every((line) => line.startsWith('    '))).toBe(true);
});

test('nothing that a device sends can steer the terminal or make a second line', async () => {
  const hostile = 'a\u001b[2J\nb\u009b31m\u202e\u2028';
  const lines = await written('info', 'terminal', (logger) => {
    logger
      .child({ part: hostile })
      .warn({ client: hostile, [hostile]: 1, error: new Error(hostile) }, hostile);
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
  expect(lines[0]).toContain('a\\u001b[2J\\u000ab\\u009b31m\\u202e\\u2028');
});

test.each<LogTarget>(['file', 'journal', 'terminal'])(
  'a log that cannot be written, for a %s, ends nothing and keeps little',
  (target) => {
    const fileDescriptor = openSync('/dev/full', 'w');
    const logger = pinoLogger('info', fileDescriptor, target);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 1_000; index += 1) logger.error({ index }, 'x'.repeat(10_000));
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
    logger.error({}, 'still there');
    closeSync(fileDescriptor);
  },
);

test('the journal is known by the device and inode of its socket, others are files', async () => {
  await using folder = await temporaryFolder();
  const fileDescriptor = openSync(join(folder.path, 'log'), 'a');
  const { dev, ino } = fstatSync(fileDescriptor, { bigint: true });
  expect(logTargetOf(fileDescriptor, `${dev}:${ino}`)).toBe('journal');
  expect(logTargetOf(fileDescriptor, `${dev}:${ino + 1n}`)).toBe('file');
  expect(logTargetOf(fileDescriptor, '')).toBe('file');
  expect(logTargetOf(fileDescriptor, undefined)).toBe('file');
  closeSync(fileDescriptor);
});

test('another level counts for all loggers, whenever they were made', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'log');
  const fileDescriptor = openSync(path, 'a');
  const logger = pinoLogger('info', fileDescriptor, 'file');
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

test('warnings and errors are kept as JSON as well, also where the log cannot be written', () => {
  const full = openSync('/dev/full', 'a');
  const logger = pinoLogger('info', full, 'journal');
  logger.info({}, '{"level":"error"');
  logger.warn({ a: 1 }, 'one');
  logger.child({ part: 'log' }).error({}, 'two');
  logger.setLevel('error');
  logger.warn({}, 'not shown');
  closeSync(full);
  const { lines, leftOut } = logger.newest();
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', a: 1, message: 'one' },
    { level: 'error', part: 'log', message: 'two' },
  ]);
  expect(leftOut).toBe(0);
});
