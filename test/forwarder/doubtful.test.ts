import { expect, test } from 'vitest';
import {
  doubtfulAfterLoss,
  doubtfulOnNewBoard,
  doubtfulUnderNewIdentity,
} from '../../src/forwarder/mirror/doubtful.ts';
import type { ResumedPartition } from '../../src/forwarder/mirror/resume.ts';

const lives = [{ life: 'A', firstOffset: 0 }];
const nothing = { own: null, ancestors: [], copy: null, asides: [], lives };
const readings: ResumedPartition = {
  ...nothing,
  topic: 'readings',
  partition: 0,
  logStartOffset: 2,
  highWatermark: 9,
};
const copy = { clusterId: 'there', nextOffset: 5, sendingTo: 7, lives };
const at = (nextOffset: number) => ({ topic: 'readings', partition: 0, nextOffset, lives });
const told = (fromOffset: number, nextOffset: number) => [
  { topic: 'readings', partition: 0, fromOffset, nextOffset },
];

test('after a lost checkpoint it is the transaction in doubt, or all that is sent again', () => {
  expect(doubtfulAfterLoss([{ ...readings, copy }], [at(5)])).toEqual(told(5, 7));
  expect(doubtfulAfterLoss([{ ...readings, copy }], [at(0)])).toEqual(told(2, 7));
});

test('nothing is in doubt where no transaction was, or the log has nothing of it any more', () => {
  expect(doubtfulAfterLoss([{ ...readings, copy: { ...copy, sendingTo: null } }], [at(5)])).toEqual([]);
  expect(doubtfulAfterLoss([{ ...readings, copy, logStartOffset: 7 }], [at(5)])).toEqual([]);
  expect(doubtfulAfterLoss([{ ...readings, copy, highWatermark: 5 }], [at(5)])).toEqual([]);
});

test('under a new identity it is what lies behind where the pasts part', () => {
  const own = {
    nextOffset: 20,
    lives: [
      { life: 'A', firstOffset: 0 },
      { life: 'X', firstOffset: 4 },
    ],
  };
  expect(doubtfulUnderNewIdentity([{ ...readings, own }], 'here', 'resume')).toEqual(told(4, 9));
  const whole = { nextOffset: 20, lives };
  expect(doubtfulUnderNewIdentity([{ ...readings, own: whole }], 'here', 'resume')).toEqual([]);
});

test('on another board it is what the copies do not call confirmed', () => {
  expect(doubtfulOnNewBoard([readings], () => 6)).toEqual(told(6, 9));
  expect(doubtfulOnNewBoard([readings], () => 0)).toEqual(told(2, 9));
  expect(doubtfulOnNewBoard([readings], () => 9)).toEqual([]);
});
