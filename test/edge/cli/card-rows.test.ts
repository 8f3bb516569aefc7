import { expect, test } from 'vitest';
import type { CardStatus } from '../../../src/edge/card-wear.ts';
import { cardRows } from '../../../src/edge/cli/card-rows.ts';

const card: CardStatus = {
  payloadBytes: 2_000_000,
  deviceBytes: { journal: 2_400_000, segments: 0, other: 0, metadata: 0 },
  deviceBytesPerPayloadByte: 1.2,
  endurance: { bytes: 30e12, isEstimate: false },
  usedShare: 0.25,
  bytesPerDay: 3_600_000_000,
  yearsLeft: 17.123,
  device: { name: 'mmcblk0p3', isShared: false, bytesWritten: 2_500_000, life: null },
};

test('says what is counted, what it means, and what the device says', () => {
  expect(cardRows(card)).toEqual([
    '2.4 MB written in all runs (journal 2.4 MB, segments 0 B, other 0 B): 1.2 for each byte of the 2 MB payload',
    'estimate: 25 % of the 30 TB of data.endurance used; at 3.6 GB a day it lasts 17.1 years more',
    'device mmcblk0p3 was given 2.5 MB in this run (the data has it to itself)',
  ]);
});

test('an eMMC is quoted, and a shared device is called one', () => {
  const device = { name: 'mmcblk0p2', isShared: true, bytesWritten: 999 };
  const rows = (life: NonNullable<CardStatus['device']>['life']) =>
    cardRows({ ...card, device: { ...device, life } })[2];
  expect(rows({ usedShareMax: 0.3, reserve: 'normal' })).toBe(
    'device mmcblk0p2 was given 999 B in this run (by everybody: the system is on it as well); ' +
      'by its own count at most 30 % of its life used, its reserve is normal',
  );
  expect(rows({ usedShareMax: 1.1, reserve: null })).toMatch(/more than 100 % of its life used$/);
});

test('before the first record, and where nothing is written, it claims nothing', () => {
  expect(cardRows({ ...card, deviceBytesPerPayloadByte: null, payloadBytes: 149 })[0]).toContain(
    ': too little payload yet to say what that is for each byte of it',
  );
  expect(cardRows({ ...card, bytesPerDay: 0, yearsLeft: null })[1]).toMatch(/; nothing is written now$/);
});
