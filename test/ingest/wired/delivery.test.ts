import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { readingRecord } from '../../../src/ingest/serial/record.ts';
import { Delivery } from '../../../src/ingest/wired/delivery.ts';
import { droppedLetter } from '../../../src/ingest/wired/summary-letter.ts';
import { until, VirtualClock } from '../../support/virtual-time.ts';

const record = readingRecord(Buffer.from('wind'), new Uint8Array(1), 0);

const delivery = (accept: () => Promise<void>) =>
  new Delivery({
    accept,
    clock: new VirtualClock(),
    droppedLetterOf: (dropped) => droppedLetter('wind', dropped),
    onStored: () => {},
    onRefused: () => {},
  });

test('an error of the log that is a bug is not taken for a refusal', async () => {
  const broken = delivery(() => Promise.reject(new Error('a bug')));
  broken.push([record]);
  await expect(broken.stop()).rejects.toThrow('a bug');
});

test('a stop does not wait for a log that never answers, and says how much it had', async () => {
  const stuck = delivery(() => new Promise(() => {}));
  stuck.push([record, record]);
  stuck.push([record]);
  expect(await stuck.stop()).toBe(3);
});

test('a stop offers what a log has refused once more, and no more after that', async () => {
  let offers = 0;
  const refused = delivery(() => {
    offers += 1;
    return Promise.reject(new OperatingError('log-unavailable', 'the disk does not answer'));
  });
  refused.push([record]);
  await until('an offer', () => offers === 1);
  expect(await refused.stop()).toBe(1);
  const offersOfStop = offers;
  expect(offersOfStop).toBeGreaterThan(1);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect(offers).toBe(offersOfStop);
});

test('a stop without anything to deliver is over at once', async () => {
  expect(await delivery(() => Promise.resolve()).stop()).toBe(0);
});
