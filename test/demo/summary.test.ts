import { expect, test } from 'vitest';
import type { AlertEvent } from '../../demo/anomaly-feed.ts';
import { plantSensors } from '../../demo/plant.ts';
import { readRecording } from '../../demo/recording.ts';
import { plottedSeries } from '../../demo/screen.ts';
import { differenceOf, type StoredCheck } from '../../demo/stored-check.ts';
import { claims } from '../../demo/summary.ts';
import { alertAt } from './alert-examples.ts';

const sensors = plantSensors(await readRecording());
const allStored: StoredCheck = { overMqtt: 10, acknowledged: 10, overSerial: 3, differences: [] };

const seenAhead = alertAt('2014-02-07T20:30Z', plottedSeries, 'drift');
const faults = [
  alertAt('2013-12-27T07:00Z', 'plant:hall:humidity', 'stuck'),
  alertAt('2014-01-12T01:15Z', 'plant:pump:vibration', 'noise-up'),
  alertAt('2014-01-27T09:15Z', 'plant:compressor:pressure', 'level-shift'),
  alertAt('2026-11-26T12:00Z', 'readings:tank:celsius', 'sentinel'),
];

const isShown = (raised: readonly AlertEvent[], stored = allStored): readonly boolean[] =>
  claims(raised, sensors, stored).map((claim) => claim.isShown);

test('with an alert before the failure, each fault found by name and everything stored, all is shown', () => {
  expect(isShown([seenAhead, ...faults])).toEqual([true, true, true]);
  const [failure, planted, stored] = claims([seenAhead, ...faults], sensors, allStored);
  expect(failure?.text).toBe('An alert came 18 h before the recorded failure of the machine.');
  expect(planted?.details[0]).toContain('Found: "stuck" after 1 h 45 min');
  expect(stored?.text).toContain('the log has each of them once, in order');
});

test('of the other labelled moments it says which had an alert, and when', () => {
  const about = [
    alertAt('2013-12-11T05:30Z', plottedSeries, 'drift'),
    alertAt('2013-12-16T18:25Z', plottedSeries, 'rate'),
  ];
  const [failure] = claims([...about, seenAhead], sensors, allStored);
  expect(failure?.details.slice(3, 6)).toEqual([
    '2013-12-11 06:00  an alert 30 min before it',
    '2013-12-16 17:25  an alert 1 h after it',
    '2014-01-28 13:55  no alert in the time around it',
  ]);
});

test.each([
  ['about another series', alertAt('2014-02-07T20:30Z', 'plant:pump:vibration', 'drift')],
  ['after the failure', alertAt('2014-02-08T14:35Z', plottedSeries, 'drift')],
  ['long before the failure', alertAt('2014-02-03T04:05Z', plottedSeries, 'drift')],
])('an alert %s does not count as the failure being seen', (_, alert) => {
  const [failure] = claims([alert, ...faults], sensors, allStored);
  expect(failure).toMatchObject({ isShown: false, text: expect.stringContaining('NO alert') });
});

test.each(faults.map((fault, index) => [fault.kind, index] as const))(
  'a fault that is not found is told: %s',
  (_, missing) => {
    const [, planted] = claims([seenAhead, ...faults.toSpliced(missing, 1)], sensors, allStored);
    expect(planted).toMatchObject({ isShown: false, text: expect.stringContaining('3 of 4') });
    expect(planted?.details[missing]).toContain('NOT found');
  },
);

test('a reading that was not acknowledged, or is stored otherwise, is told', () => {
  expect(isShown([seenAhead, ...faults], { ...allStored, acknowledged: 9 })).toEqual([true, true, false]);
  const differences = differenceOf('hall', ['a', 'b'], ['a', 'c']);
  const [, , stored] = claims([], sensors, { ...allStored, differences });
  expect(stored).toMatchObject({ isShown: false, details: differences });
});

test.each([
  ['one is missing', ['a'], 'number 1: sent b, stored nothing'],
  ['one is there twice', ['a', 'b', 'b'], 'number 2: sent nothing, stored b'],
  ['two are in another order', ['b', 'a'], 'number 0: sent a, stored b'],
])('what was sent is compared with what is stored: %s', (_, stored, told) => {
  expect(differenceOf('hall', ['a', 'b'], stored)).toEqual([expect.stringContaining(told)]);
  expect(differenceOf('hall', stored, stored)).toEqual([]);
});
