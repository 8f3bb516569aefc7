import { expect, test } from 'vitest';
import { BoundedLogger } from '../../src/core/bounded-logger.ts';
import { limits } from '../../src/core/limits.ts';
import { HourlyLines } from '../support/hourly-lines.ts';
import { ManualClock } from '../support/manual-clock.ts';

const { logLinesMax, logSameLinesMax, logIntervalMs } = limits;

function bounded() {
  const clock = new ManualClock();
  const lines = new HourlyLines(clock);
  return { clock, lines, logger: new BoundedLogger(lines, clock) };
}

const times = (count: number, what: (index: number) => void): void => {
  for (let index = 0; index < count; index += 1) what(index);
};

test('the same message is written so many times an hour, whatever its fields, and the last one says that it was', () => {
  const { clock, lines, logger } = bounded();
  times(1000, (index) => logger.warn({ index }, 'the disk is full'));
  expect(lines.all).toHaveLength(logSameLinesMax);
  expect(lines.all[0]).toEqual({ level: 'warn', fields: { index: 0 }, message: 'the disk is full' });
  expect(lines.all.at(-2)?.fields).toEqual({ index: logSameLinesMax - 2 });
  expect(lines.all.at(-1)?.fields).toEqual({
    index: logSameLinesMax - 1,
    note: expect.stringContaining('further lines with this message are left out'),
  });
  clock.pass(logIntervalMs - 1);
  logger.warn({}, 'the disk is full');
  expect(lines.all).toHaveLength(logSameLinesMax);
  clock.pass(1);
  logger.warn({}, 'the disk is full');
  expect(lines.all.slice(logSameLinesMax)).toEqual([
    {
      level: 'warn',
      fields: { leftOut: 1001 - logSameLinesMax },
      message: expect.stringContaining('left out'),
    },
    { level: 'warn', fields: {}, message: 'the disk is full' },
  ]);
});

test('an hour without anything left out begins without a word', () => {
  const { clock, lines, logger } = bounded();
  logger.info({}, 'one');
  clock.pass(logIntervalMs);
  logger.info({}, 'two');
  expect(lines.all.map(({ message }) => message)).toEqual(['one', 'two']);
});

test('messages that all differ are bounded too', () => {
  const { lines, logger } = bounded();
  times(1000, (index) => logger.error({}, `failure ${index}`));
  expect(lines.all).toHaveLength(logLinesMax);
  expect(lines.all.at(-1)?.fields).toEqual({ note: expect.stringContaining('further lines of level error') });
});

test('what repeats hides no other level and no other part', () => {
  const { lines, logger } = bounded();
  const [mqtt, log] = [logger.child({ part: 'mqtt' }), logger.child({ part: 'log' })];
  times(1000, (index) => mqtt.info({}, `${index}`));
  times(1000, () => mqtt.warn({}, 'again'));
  mqtt.error({}, 'something else');
  log.info({}, '0');
  expect(lines.all).toHaveLength(logLinesMax + logSameLinesMax + 2);
  expect(lines.all.slice(-2)).toEqual([
    { level: 'error', fields: { part: 'mqtt' }, message: 'something else' },
    { level: 'info', fields: { part: 'log' }, message: '0' },
  ]);
});

test('debug lines are all written', () => {
  const { lines, logger } = bounded();
  times(1000, () => logger.debug({}, 'again'));
  expect(lines.all).toHaveLength(1000);
});
