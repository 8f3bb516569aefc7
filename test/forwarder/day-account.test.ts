import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  decodeAccount,
  encodeAccount,
  newAccount,
  onDay,
  reserve,
  sessionSpent,
  spend,
} from '../../src/forwarder/lanes/day-account.ts';

const today = onDay(newAccount, '2026-03-01');

const reopened = (bytes: Uint8Array) => {
  const decoded = decodeAccount(bytes);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.value;
};

describe('the account of a day', () => {
  test('is stored with what may be spent next, of both lanes, as spent', () => {
    const account = reserve(reserve(spend(today, 'bulk', 100), 'bulk', 50), 'alarm', 7);
    expect(reopened(encodeAccount(account))).toEqual({ ...today, spentBytes: 157 });
  });

  test('counts what was reserved once it is spent, and not twice', () => {
    const account = spend(reserve(today, 'bulk', 50), 'bulk', 20);
    expect(reopened(encodeAccount(account)).spentBytes).toBe(50);
    expect(reopened(encodeAccount(spend(account, 'bulk', 40))).spentBytes).toBe(60);
    expect(reopened(encodeAccount(spend(account, 'alarm', 5))).spentBytes).toBe(55);
    expect(reopened(encodeAccount(reserve(account, 'bulk', 0))).spentBytes).toBe(20);
  });

  test('begins anew on the next day only', () => {
    const spent = reserve(spend(today, 'bulk', 100), 'alarm', 7);
    expect(onDay(spent, '2026-03-01')).toBe(spent);
    expect(onDay(spent, null)).toBe(spent);
    expect(onDay(spent, '2026-03-02')).toEqual({ ...newAccount, day: '2026-03-02' });
    // The clock was set back, or was wrong for years: the day is another one, and what was spent stays.
    expect(onDay(spent, '2026-02-28')).toEqual({ ...spent, day: '2026-02-28' });
  });

  test('expects of a session start twice what the last one has spent, also on another day', () => {
    expect(today.sessionBytes).toBe(limits.linkSessionBytesFirst);
    expect(sessionSpent(today, 1).sessionBytes).toBe(limits.linkSessionBytesMin);
    const dear = onDay(sessionSpent(today, 1_000_000), '2026-03-02');
    expect(reopened(encodeAccount(dear)).sessionBytes).toBe(2_000_000);
  });

  test('goes on with what was spent before the day was known', () => {
    expect(onDay(spend(newAccount, 'bulk', 100), '2026-03-01')).toEqual(spend(today, 'bulk', 100));
  });

  test.each([
    '',
    '{"version":2}',
    '{"version":1,"day":5,"spentBytes":1}',
    '{"version":1,"day":null,"spentBytes":-1}',
    '{"version":1,"day":null}',
    '{"version":1,"day":null,"spentBytes":1}',
  ])('is not guessed: %j', (text) => {
    expect(decodeAccount(Buffer.from(text)).ok).toBe(false);
  });
});
