import { describe, expect, test } from 'vitest';
import type { FlushRange } from '../../src/forwarder/flush/flush.ts';
import {
  type Moment,
  OldestWaiting,
  type WaitingRange,
} from '../../src/forwarder/progress/oldest-waiting.ts';

const stampedMs = 1_700_000_000_000;
/** Seconds after both clocks were right; the wall clock may be set meanwhile. */
const at = (seconds: number, wallSetBy = 0): Moment => ({
  monotonicMs: seconds * 1000,
  wallMs: stampedMs + (seconds + wallSetBy) * 1000,
});

const range = (fromOffset: number, endOffset: number, topic = 'readings'): WaitingRange => ({
  topic,
  partition: 0,
  fromOffset,
  endOffset,
});

/** Records that were stamped so many seconds after the beginning. */
const flushed = (fromOffset: number, nextOffset: number, oldest: number, newest: number): FlushRange => ({
  topic: 'readings',
  partition: 0,
  fromOffset,
  nextOffset,
  lives: [],
  times: { oldestMs: stampedMs + oldest * 1000, newestMs: stampedMs + newest * 1000 },
});

describe('the oldest record that waits', () => {
  test('waits since it was committed, if that was seen', () => {
    const oldest = new OldestWaiting();
    oldest.update([range(0, 0)], at(0));
    oldest.update([range(0, 1)], at(10));
    oldest.update([range(0, 5)], at(20));
    expect(oldest.ageSeconds([range(0, 5)], at(70))).toBe(60);
    expect(oldest.unread([range(0, 5)])).toBeUndefined();
  });

  test('is as old as that, however the wall clock is set meanwhile', () => {
    const oldest = new OldestWaiting();
    oldest.update([range(0, 0)], at(0));
    oldest.update([range(0, 1)], at(10));
    // It is read to be sent, but its stamp is of a clock that was wrong.
    oldest.read([flushed(0, 1, -3600, -3600)]);
    expect(oldest.ageSeconds([range(0, 1)], at(20, -86_400))).toBe(10);
    expect(oldest.ageSeconds([range(0, 1)], at(20, 86_400))).toBe(10);
  });

  test('is not there if nothing waits, and of several partitions it is the oldest of all', () => {
    const oldest = new OldestWaiting();
    expect(oldest.ageSeconds([], at(0))).toBe(0);
    oldest.update([range(0, 0), range(0, 0, 'alarms')], at(0));
    expect(oldest.ageSeconds([range(0, 0), range(0, 0, 'alarms')], at(50))).toBe(0);
    const both = [range(0, 1), range(0, 1, 'alarms')];
    oldest.update([range(0, 1), range(0, 0, 'alarms')], at(10));
    oldest.update(both, at(30));
    expect(oldest.ageSeconds(both, at(40))).toBe(30);
    expect(oldest.ageSeconds(both.slice(1), at(40))).toBe(10);
    // The mirror has passed it, and nobody has looked since.
    expect(oldest.ageSeconds([range(1, 1)], at(40))).toBe(0);
  });

  test('has to be read if it was there before, and counts from the start until then', () => {
    const oldest = new OldestWaiting();
    const waiting = [range(3, 7)];
    oldest.update(waiting, at(1000));
    expect(oldest.unread(waiting)).toEqual(range(3, 7));
    expect(oldest.ageSeconds(waiting, at(1010))).toBe(10);
    oldest.learn(range(3, 7), stampedMs);
    expect(oldest.unread(waiting)).toBeUndefined();
    expect(oldest.ageSeconds(waiting, at(1010))).toBe(1010);
    expect(oldest.ageSeconds(waiting, at(1010, -5000))).toBe(0);
  });

  test('counts from the start for good if it cannot be read, and is not asked for again', () => {
    const oldest = new OldestWaiting();
    oldest.update([range(3, 7)], at(1000));
    oldest.learn(range(3, 7), null);
    oldest.update([range(3, 8)], at(1005));
    expect(oldest.unread([range(3, 8)])).toBeUndefined();
    expect(oldest.ageSeconds([range(3, 8)], at(1010))).toBe(10);
  });

  test('is no younger than what was acknowledged last, until the rest is read', () => {
    const oldest = new OldestWaiting();
    oldest.update([range(0, 9)], at(1000));
    oldest.read([flushed(0, 4, 100, 200)]);
    expect(oldest.ageSeconds([range(0, 9)], at(1000))).toBe(900);
    oldest.acknowledged([flushed(0, 4, 100, 200)], at(1000));
    oldest.update([range(4, 9)], at(1000));
    expect(oldest.unread([range(4, 9)])).toBeUndefined();
    expect(oldest.ageSeconds([range(4, 9)], at(1000))).toBe(800);
    oldest.read([flushed(4, 9, 700, 950)]);
    expect(oldest.ageSeconds([range(4, 9)], at(1000))).toBe(300);
    oldest.acknowledged([flushed(4, 9, 700, 950)], at(1001));
    oldest.update([range(9, 9)], at(1001));
    expect(oldest.ageSeconds([range(9, 9)], at(1001))).toBe(0);
    oldest.update([range(9, 10)], at(1002));
    expect(oldest.ageSeconds([range(9, 10)], at(1003))).toBe(1);
  });

  test('is another one once retention has dropped it, and has to be read', () => {
    const oldest = new OldestWaiting();
    oldest.update([range(0, 0)], at(0));
    oldest.update([range(0, 9)], at(0));
    oldest.update([range(6, 9)], at(100));
    expect(oldest.unread([range(6, 9)])).toEqual(range(6, 9));
    // What was asked for before does not answer that.
    oldest.learn(range(0, 9), stampedMs);
    expect(oldest.unread([range(6, 9)])).toEqual(range(6, 9));
    oldest.learn(range(6, 9), stampedMs + 40_000);
    expect(oldest.ageSeconds([range(6, 9)], at(100))).toBe(60);
    // All of it is dropped, and what comes then is new.
    oldest.update([range(9, 9)], at(110));
    oldest.update([range(9, 10)], at(120));
    expect(oldest.unread([range(9, 10)])).toBeUndefined();
    expect(oldest.ageSeconds([range(9, 10)], at(121))).toBe(1);
  });

  test('has to be read if the cluster knows less than was thought', () => {
    const oldest = new OldestWaiting();
    oldest.update([range(5, 5)], at(0));
    oldest.update([range(2, 5)], at(1));
    expect(oldest.unread([range(2, 5)])).toEqual(range(2, 5));
  });

  test('is told by what has arrived: what comes in this run, of topics that stay or go', () => {
    const oldest = new OldestWaiting();
    expect(oldest.update([range(0, 1000)], at(0))).toBe(0);
    expect(oldest.update([range(0, 1050), range(0, 70, 'alarms')], at(1))).toBe(50);
    oldest.acknowledged([flushed(0, 1050, 0, 1)], at(2));
    expect(oldest.update([range(1050, 1051), range(70, 75, 'alarms')], at(2))).toBe(6);
    // A disk that lied has lost the last one.
    expect(oldest.update([range(1050, 1050)], at(3))).toBe(0);
    expect(oldest.update([range(1050, 1052)], at(4))).toBe(2);
  });

  test('of a deleted topic is forgotten', () => {
    const oldest = new OldestWaiting();
    const alarms = range(0, 1, 'alarms');
    oldest.update([range(0, 1), alarms], at(0));
    oldest.update([range(0, 1)], at(5));
    expect(oldest.unread([alarms])).toBeUndefined();
    expect(oldest.ageSeconds([alarms], at(10))).toBe(0);
    expect(oldest.ageSeconds([range(0, 1)], at(10))).toBe(10);
  });
});
