import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { LoginThrottle } from '../../../src/edge/users/login-throttle.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const site = '192.0.2.1';

/** Fails so often, or until it may not be tried any more; says how often it could be tried. */
function tries(throttle: LoginThrottle, count: number, user: string, host: string): number {
  for (let tried = 0; tried < count; tried++) {
    if (!throttle.mayTry(user, host)) return tried;
    throttle.failed(user, host);
  }
  return count;
}

test('a user at an address may fail a few times, then once in each interval', () => {
  const clock = new ManualClock();
  const throttle = new LoginThrottle(clock);
  expect(tries(throttle, 1000, 'pump', site)).toBe(limits.loginPairFailuresMax);
  clock.pass(limits.loginFailureForgottenMs - 1);
  expect(throttle.mayTry('pump', site)).toBe(false);
  clock.pass(1);
  expect(tries(throttle, 1000, 'pump', site)).toBe(1);
  clock.pass(limits.loginFailureForgottenMs * 100);
  expect(tries(throttle, 1000, 'pump', site)).toBe(limits.loginPairFailuresMax);
});

test('a login that succeeds makes up for the failures of that user there', () => {
  const throttle = new LoginThrottle(new ManualClock());
  tries(throttle, limits.loginPairFailuresMax - 1, 'pump', site);
  throttle.succeeded('pump', site);
  expect(tries(throttle, 1000, 'pump', site)).toBe(limits.loginPairFailuresMax);
});

test('an address that tries many names is stopped, but not a device behind it that has logged in before', () => {
  const throttle = new LoginThrottle(new ManualClock());
  throttle.succeeded('pump', site);
  const tried = Array.from({ length: 1000 }, (_, index) => tries(throttle, 1, `user${index}`, site));
  expect(tried.filter((count) => count === 1).length).toBe(limits.loginAddressFailuresMax);
  expect(throttle.mayTry('other', site)).toBe(false);
  expect(throttle.mayTry('other', '192.0.2.2')).toBe(true);
  expect(throttle.mayTry('pump', site)).toBe(true);
});

test('many strangers cannot lock a device out that has logged in before, and are stopped together', () => {
  const throttle = new LoginThrottle(new ManualClock());
  throttle.succeeded('pump', site);
  let tried = 0;
  for (let index = 0; index < 500; index++) tried += tries(throttle, 1000, 'pump', `198.51.100.${index}`);
  expect(tried).toBe(limits.loginUserFailuresMax);
  expect(throttle.mayTry('pump', '203.0.113.1')).toBe(false);
  expect(throttle.mayTry('pump', site)).toBe(true);
  expect(throttle.mayTry('other', '203.0.113.1')).toBe(true);
});

test('addresses of one IPv6 network count as one', () => {
  const throttle = new LoginThrottle(new ManualClock());
  const hosts = ['2001:db8::1', '2001:db8:0:0:1::', '2001:db8:0:0:ffff:1:2:3', '2001:db8::%eth0'];
  let tried = 0;
  for (const host of hosts) tried += tries(throttle, 1000, 'pump', host);
  expect(tried).toBe(limits.loginPairFailuresMax);
  expect(throttle.mayTry('pump', '2001:db8:0:1::1')).toBe(true);
});

test('what is remembered of strangers is bounded', () => {
  const throttle = new LoginThrottle(new ManualClock());
  tries(throttle, 1000, 'first', site);
  for (let index = 0; index < limits.loginsRememberedMax; index++) throttle.failed(`u${index}`, `h${index}`);
  expect(throttle.mayTry('first', site)).toBe(true);
});

test('of the pairs that have logged in, those that did so last are remembered', () => {
  const throttle = new LoginThrottle(new ManualClock());
  for (let index = 0; index <= limits.loginsRememberedMax; index++)
    throttle.succeeded(`u${index}`, `h${index}`);
  for (const host of ['h0', 'h1'])
    for (let index = 0; index < limits.loginAddressFailuresMax; index++)
      throttle.failed(`other${index}`, host);
  expect([throttle.mayTry('u0', 'h0'), throttle.mayTry('u1', 'h1')]).toEqual([false, true]);
});
