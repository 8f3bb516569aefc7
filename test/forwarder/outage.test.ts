import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Outage } from '../../src/forwarder/progress/outage.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HOUR = 3_600_000;
const failure = (message: string) => ({ kind: 'unreachable' as const, message });

function outage() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const fields: object[] = [];
  const at = (level: string) => (of: object, message: string) => {
    lines.push(`${level} ${message}`);
    fields.push(of);
  };
  const logger = { ...silentLogger, info: at('info'), warn: at('warn'), error: at('error') };
  return { clock, lines, fields, outage: new Outage(clock, logger) };
}

describe('the service log hears', () => {
  test('of a month without a link in as many lines as there are messages, and one when it is over', () => {
    const { clock, lines, outage: month } = outage();
    for (let minute = 0; minute < 30 * 24 * 60; minute += 1) {
      month.failed(failure(minute % 2 === 0 ? 'refused' : 'timed out'), false);
      clock.pass(60_000);
    }
    month.ended(1234);
    expect(lines).toEqual([
      'warn refused',
      'warn timed out',
      'info the cluster acknowledges again after 30 d; 1234 records waited',
    ]);
  });

  test('the same message again in the next outage', () => {
    const { clock, lines, outage: one } = outage();
    one.failed(failure('refused'), false);
    clock.pass(7_380_000);
    one.ended(0);
    one.failed(failure('refused'), false);
    expect(lines).toEqual([
      'warn refused',
      'info the cluster answers again after 2 h 3 min; no record waited for it',
      'warn refused',
    ]);
  });

  test('nothing while all is well', () => {
    const { lines, outage: one } = outage();
    one.ended(7);
    expect([lines, one.seconds]).toEqual([[], null]);
  });

  test('no more lines in an hour than are allowed, however the link comes and goes, and how many are missing', () => {
    const { clock, lines, fields, outage: flapping } = outage();
    for (let minute = 0; minute < 50; minute += 1) {
      flapping.failed(failure('refused'), false);
      flapping.ended(1);
      clock.pass(60_000);
    }
    expect(lines.length).toBe(limits.mirrorNoticesMax);
    clock.pass(HOUR);
    flapping.failed(failure('refused'), false);
    expect(lines.length).toBe(limits.mirrorNoticesMax + 1);
    expect(fields.at(-1)).toMatchObject({ linesLeftOut: 100 - limits.mirrorNoticesMax });
  });

  test('no more messages of one outage than are kept in mind', () => {
    const { clock, lines, outage: one } = outage();
    for (let attempt = 0; attempt < 1000; attempt += 1) {
      one.failed(failure(`attempt ${attempt}`), false);
      clock.pass(HOUR);
    }
    expect(lines.length).toBe(limits.outageMessagesMax);
  });

  test('why nothing is tried any more, always, and as an error', () => {
    const { lines, outage: one } = outage();
    for (let attempt = 0; attempt < 100; attempt += 1) one.failed(failure(`attempt ${attempt}`), false);
    one.failed(failure('lost'), true);
    expect(lines.at(-1)).toBe('error lost');
  });
});
