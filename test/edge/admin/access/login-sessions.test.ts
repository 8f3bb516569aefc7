import { expect, test } from 'vitest';
import { limits } from '../../../../src/core/limits.ts';
import { LoginSessions } from '../../../../src/edge/admin/access/login-sessions.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { SimRandom } from '../../../support/sim-random.ts';

const begin = () => {
  const clock = new ManualClock();
  return { clock, sessions: new LoginSessions(clock, new SimRandom(1)) };
};

test('a login holds by its token of 256 bits, and ends when it is asked to', () => {
  const { sessions } = begin();
  const [one, other] = [sessions.begin(), sessions.begin()];
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(one).not.toBe(other);
  sessions.end(one);
  expect([sessions.use(one), sessions.use(other), sessions.use('0'.repeat(64))]).toEqual([
    false,
    true,
    false,
  ]);
  sessions.endAll();
  expect(sessions.use(other)).toBe(false);
});

test('without use it ends, and in the end whatever happens', () => {
  const { clock, sessions } = begin();
  const [idle, busy] = [sessions.begin(), sessions.begin()];
  const stepMs = limits.adminLoginIdleMsMax / 2;
  let busyMs = 0;
  for (; busyMs <= limits.adminLoginAgeMsMax && sessions.use(busy); busyMs += stepMs) clock.pass(stepMs);
  expect(sessions.use(idle)).toBe(false);
  expect(busyMs).toBe(limits.adminLoginAgeMsMax);
});

test('of too many, that which was not used for longest ends', () => {
  const { sessions } = begin();
  const tokens = Array.from({ length: limits.adminLoginsMax }, () => sessions.begin());
  expect(sessions.use(tokens[0] ?? '')).toBe(true);
  sessions.begin();
  expect(sessions.use(tokens[0] ?? '')).toBe(true);
  expect(sessions.use(tokens[1] ?? '')).toBe(false);
  expect(sessions.use(tokens[2] ?? '')).toBe(true);
});

test('what is open by a login ends with it, once, unless it is over before', () => {
  const { clock, sessions } = begin();
  const closed: string[] = [];
  const token = sessions.begin();
  sessions.whenEnded(token, () => closed.push('stream'));
  sessions.whenEnded(token, () => closed.push('over'))();
  sessions.end(token);
  sessions.end(token);
  sessions.whenEnded(token, () => closed.push('late'));
  expect(closed).toEqual(['stream', 'late']);
  sessions.whenEnded(sessions.begin(), () => closed.push('old'));
  clock.pass(limits.adminLoginIdleMsMax);
  sessions.use('');
  expect(closed.at(-1)).toBe('old');
});
