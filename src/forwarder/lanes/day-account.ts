import { limits } from '../../core/limits.ts';
import type { LaneName } from '../../log/types.ts';
import { isCount, type Parsed, parseObject } from '../mirror/stored-json.ts';

/**
 * What counts as spent of the link on one local day. What is stored of it tells of every byte before it is spent: what a lane
 * is about to spend is *reserved*, and stored as if it were spent. So a crash loses nothing of the account, but may count
 * what was reserved and not spent.
 */
export interface DayAccount {
  /** Null as long as no clock that is set has told it. */
  readonly day: string | null;
  readonly spentBytes: number;
  /** Of what each lane may spend beyond that before more is stored. */
  readonly reservedBytes: Readonly<Record<LaneName, number>>;
  /** What a session start is expected to spend at most, by what the last one did. */
  readonly sessionBytes: number;
}

const version = 1;

/** The account of a gateway that has spent nothing yet. */
export const newAccount: DayAccount = {
  day: null,
  spentBytes: 0,
  reservedBytes: { alarm: 0, bulk: 0 },
  sessionBytes: limits.linkSessionBytesFirst,
};

/** The lane has spent so many bytes more. */
export function spend(account: DayAccount, lane: LaneName, bytes: number): DayAccount {
  const left = Math.max(0, account.reservedBytes[lane] - bytes);
  return { ...reserve(account, lane, left), spentBytes: account.spentBytes + bytes };
}

/** The lane may spend so many bytes from here on, whatever was reserved for it before. */
export const reserve = (account: DayAccount, lane: LaneName, bytes: number): DayAccount => ({
  ...account,
  reservedBytes: { ...account.reservedBytes, [lane]: bytes },
});

/** A session start has spent so many bytes: the next one may spend twice as much, since checkpoints come and go. */
export const sessionSpent = (account: DayAccount, bytes: number): DayAccount => ({
  ...account,
  sessionBytes: Math.max(2 * bytes, limits.linkSessionBytesMin),
});

/**
 * The account on this day; null while nobody knows the day, and then none begins. A day begins with nothing spent, but only if it comes
 * after the one before: a clock that is set back must not give the same hours another budget.
 */
export function onDay(account: DayAccount, day: string | null): DayAccount {
  if (day === null || day === account.day) return account;
  const isNext = account.day !== null && day > account.day;
  // Nothing of the new day is stored yet, so nothing of it is reserved.
  return isNext ? { ...newAccount, day, sessionBytes: account.sessionBytes } : { ...account, day };
}

/** The account as it is to be stored. */
export function encodeAccount({ day, spentBytes, reservedBytes, sessionBytes }: DayAccount): Uint8Array {
  const bytes = spentBytes + reservedBytes.alarm + reservedBytes.bulk;
  return Buffer.from(JSON.stringify({ version, day, spentBytes: bytes, sessionBytes }));
}

/** The reverse of {@link encodeAccount}, with what was reserved as spent. */
export function decodeAccount(bytes: Uint8Array): Parsed<DayAccount> {
  const parsed = parseObject(bytes, version);
  if (!parsed.ok) return parsed;
  const { day, spentBytes, sessionBytes } = parsed.value;
  if (day !== null && typeof day !== 'string') return { ok: false, reason: 'its day is not a day' };
  if (!isCount(spentBytes) || !isCount(sessionBytes))
    return { ok: false, reason: 'it does not say what was spent' };
  return { ok: true, value: { ...newAccount, day, spentBytes, sessionBytes } };
}
