import { expect, test } from 'vitest';
import { limits } from '../../../../src/core/limits.ts';
import { RequestRate } from '../../../../src/edge/admin/access/request-rate.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

test('an address is answered so often in a second, and is told when it is again', () => {
  const clock = new ManualClock();
  const rate = new RequestRate(clock);
  const answered = (host: string): number =>
    Array.from({ length: 1_000 }, () => rate.waitMs(host)).filter((waitMs) => waitMs === 0).length;
  expect(answered('10.0.0.1')).toBe(limits.adminOpenRequestsMax);
  expect(answered('10.0.0.2')).toBe(limits.adminOpenRequestsMax);
  clock.pass(limits.adminOpenRequestsMs - 1);
  expect(rate.waitMs('10.0.0.1')).toBe(1);
  clock.pass(1);
  expect(answered('10.0.0.1')).toBe(limits.adminOpenRequestsMax);
  // Whoever has one address of an IPv6 network has all of them.
  expect(answered('2001:db8::1') + answered('2001:db8::2')).toBe(limits.adminOpenRequestsMax);
});

test('of too many addresses those counted last are remembered', () => {
  const rate = new RequestRate(new ManualClock());
  for (let one = 0; one < limits.adminOpenRequestsMax; one += 1) rate.waitMs('first');
  expect(rate.waitMs('first')).toBeGreaterThan(0);
  for (let one = 0; one < limits.adminAddressesCountedMax; one += 1) rate.waitMs(`host ${one}`);
  expect(rate.waitMs('first')).toBe(0);
});
