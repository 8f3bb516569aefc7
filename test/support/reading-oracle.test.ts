import { expect, test } from 'vitest';
import { judgeReadings } from './reading-oracle.ts';

const reading = (device: string, sequence: number) => ({ device, sequence });
const stored = (...readings: object[]): string[] => readings.map((one) => JSON.stringify(one));

test('the oracle names what is lost, out of order, and there twice where it may not be', () => {
  const acknowledged = [reading('a', 0), reading('a', 1)];
  const whole = stored(reading('a', 0), reading('a', 1));
  expect(judgeReadings(acknowledged, whole)).toEqual([]);
  expect(judgeReadings(acknowledged, whole.slice(0, 1))).toEqual(['a 1 was acknowledged and is lost']);
  expect(judgeReadings(acknowledged, whole.toReversed())).toEqual([
    'a first shows 1 after 0 others',
    'a first shows 0 after 1 others',
  ]);
  const doubled = [...whole, ...whole.slice(1)];
  expect(judgeReadings(acknowledged, doubled)).toEqual([]);
  const isExact = (device: string): boolean => device === 'a';
  expect(judgeReadings(acknowledged, doubled, { isExact })).toEqual(['a 1 is there twice']);
});
