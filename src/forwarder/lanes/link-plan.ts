import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { LocalTime, ReadLocalTime } from '../../core/local-time.ts';
import type { LaneName } from '../../log/types.ts';
import type { Failure } from '../cluster/target.ts';
import type { MirrorMemory } from '../mirror/mirror-memory.ts';
import { type LinkStatus, type Rest, restText } from '../progress/link-status.ts';
import type { LaneStatus } from '../progress/status.ts';
import {
  type DayAccount,
  decodeAccount,
  encodeAccount,
  newAccount,
  onDay,
  reserve,
  sessionSpent,
  spend,
} from './day-account.ts';
import { type HourSpan, msUntilClosed, spanText } from './link-hours.ts';
import { allDay, type LinkRules, restOf } from './link-rest.ts';

/** Rules for a link that costs by what it carries, or by the hour. */
export interface MeteredLink {
  /** How many bytes bulk may cause on it in a local day, both lanes counted; without it as many as it takes. */
  readonly bytesPerDay?: number | undefined;
  /** When bulk may send; without it always. */
  readonly hours?: readonly HourSpan[] | undefined;
  readonly localTime: ReadLocalTime;
  /** Whether the wall clock is known to be right; before it is, no day begins and no hours are known. */
  readonly isClockSet: () => boolean;
}

export interface LinkPlanOptions {
  readonly meteredLink?: MeteredLink | undefined;
  readonly clock: Clock;
  readonly memory: Pick<MirrorMemory, 'account' | 'saveAccount'>;
}

/**
 * What a metered link may be used for, and when: keeps the account of the day, in which both lanes count, and says when bulk has to wait.
 * Alarms never do. Without rules it does nothing.
 */
export class LinkPlan {
  readonly #options: LinkPlanOptions;
  #rules: LinkRules;
  readonly #traffic = new Map<LaneName, () => number>();
  /** What of the traffic is in the account, or was there before it. */
  readonly #counted: Record<LaneName, number> = { alarm: 0, bulk: 0 };
  #account: DayAccount;
  /** What was counted when the session start began. */
  readonly #countedBefore: Record<LaneName, number> = { alarm: 0, bulk: 0 };
  #isBulkOpen = false;

  constructor(options: LinkPlanOptions) {
    const { meteredLink: { bytesPerDay = null, hours = null } = {}, memory } = options;
    this.#options = options;
    this.#rules = { bytesPerDay, hours };
    const stored = memory.account();
    const account = stored === null ? null : decodeAccount(stored);
    // What another release has stored may mean that all is spent.
    const unreadable = { ...newAccount, spentBytes: bytesPerDay ?? 0 };
    this.#account = account === null ? newAccount : account.ok ? account.value : unreadable;
  }

  /** Other rules count from now on; what this run has moved over the link today counts already. */
  useRules({ bytesPerDay, hours }: Pick<MeteredLink, 'bytesPerDay' | 'hours'>): void {
    this.#rules = { bytesPerDay: bytesPerDay ?? null, hours: hours ?? null };
  }

  /** From here on what the lane has moved over the link counts: bytes in both directions since the start. */
  watch(lane: LaneName, linkBytes: () => number): void {
    this.#traffic.set(lane, linkBytes);
  }

  /** Why the lane has to wait, or has to end its session; null if it may go on. */
  rest(lane: LaneName): Rest | null {
    if (!this.#isFor(lane)) return null;
    return restOf(this.#rules, this.#bytesLeft() < limits.transactionBytesMin, this.#local());
  }

  /** After so long, milliseconds, {@link rest} may say something else, whatever becomes of the wall clock; infinity if it never does. */
  lookAgainMs(lane: LaneName): number {
    if (!this.#isFor(lane)) return Number.POSITIVE_INFINITY;
    const rest = this.rest(lane);
    const openMs = (): number => msUntilClosed(this.#rules.hours ?? allDay, this.#local()?.msOfDay ?? 0);
    const ms = rest === null ? openMs() : (rest.secondsLeft ?? Number.POSITIVE_INFINITY) * 1000;
    return Math.min(Math.max(1, ms), limits.linkLookMs);
  }

  /** How many bytes of records the next transaction of the lane may take; one record, however large, in any case. */
  roomBytes(lane: LaneName): number {
    if (lane === 'alarm') return Number.POSITIVE_INFINITY;
    return Math.max(this.#bytesLeft(), limits.transactionBytesMin);
  }

  /**
   * To be called before a session of the lane is opened: it is durable then that a session start may have been spent. Attempts that cost
   * little share one commit.
   */
  async opening(lane: LaneName): Promise<Failure | null> {
    if (lane === 'bulk') this.#isBulkOpen = true;
    this.#count();
    this.#countedBefore[lane] = this.#counted[lane];
    if (this.#rules.bytesPerDay === null) return null;
    const { day, spentBytes, reservedBytes } = this.#account;
    const stored = decodeAccount(this.#options.memory.account() ?? encodeAccount(newAccount));
    const others = spentBytes + (lane === 'bulk' ? reservedBytes.alarm : reservedBytes.bulk);
    const isOfToday = stored.ok && stored.value.day === day;
    const reservedAlready = isOfToday ? stored.value.spentBytes - others : 0;
    if (reservedAlready < this.#sessionBytes() / 2)
      return await this.#options.memory.saveAccount(this.#reserving(lane, this.#sessionBytes()));
    this.#account = reserve(this.#account, lane, reservedAlready);
    return null;
  }

  /** The session of the lane is open: what it has cost is known, and becomes durable. */
  async opened(lane: LaneName): Promise<Failure | null> {
    if (this.#rules.bytesPerDay === null) return null;
    this.#count();
    this.#account = sessionSpent(this.#account, this.#counted[lane] - this.#countedBefore[lane]);
    return await this.#options.memory.saveAccount(this.#reserving(lane, 0));
  }

  /** The lane has no session. */
  closed(lane: LaneName): void {
    if (lane === 'bulk') this.#isBulkOpen = false;
  }

  /** What is to be stored before the lane sends a transaction with so many bytes of records; null if nothing is. */
  sending(lane: LaneName, bytes: number): Uint8Array | null {
    if (this.#rules.bytesPerDay === null) return null;
    return this.#reserving(lane, bytes + limits.linkOverheadBytes);
  }

  status(): LinkStatus | null {
    const { bytesPerDay, hours } = this.#rules;
    if (bytesPerDay === null && hours === null) return null;
    this.#count();
    return {
      bytesPerDay,
      spentBytes: bytesPerDay === null ? null : this.#account.spentBytes,
      hours: hours?.map(spanText) ?? null,
      rest: this.rest('bulk'),
    };
  }

  /** The status of the lane, which says why it rests; and that the backlog waits for more than the time that sending it takes. */
  told<Status extends Pick<LaneStatus, 'state' | 'message' | 'lagRecords' | 'lagBytes' | 'drain'>>(
    lane: LaneName,
    status: Status,
  ): Status {
    if (!this.#isFor(lane)) return status;
    const { state, lagRecords, lagBytes, drain } = status;
    const rest = state === 'resting' ? this.rest(lane) : null;
    const message = rest === null ? status.message : restText(rest);
    const openMs = msUntilClosed(this.#rules.hours ?? allDay, this.#local()?.msOfDay ?? 0);
    const isTooMuch =
      drain.state === 'draining' && (drain.secondsLeft * 1000 > openMs || lagBytes > this.#bytesLeft());
    const waits = { state: 'waits', secondsLeft: null } as const;
    const isWaiting = lagRecords > 0 && (state === 'resting' || isTooMuch);
    return { ...status, message, drain: isWaiting ? waits : drain };
  }

  #isFor(lane: LaneName): boolean {
    const { bytesPerDay, hours } = this.#rules;
    return lane === 'bulk' && (bytesPerDay !== null || hours !== null);
  }

  /** What bulk may still send, what goes with it not counted; before a session less what that may cost. */
  #bytesLeft(): number {
    this.#count();
    const { bytesPerDay } = this.#rules;
    if (bytesPerDay === null) return Number.POSITIVE_INFINITY;
    const ahead = limits.linkOverheadBytes + (this.#isBulkOpen ? 0 : this.#sessionBytes());
    return bytesPerDay - this.#account.spentBytes - ahead;
  }

  /** Never so much that there is no beginning on a new day. */
  #sessionBytes(): number {
    const { bytesPerDay } = this.#rules;
    return Math.min(this.#account.sessionBytes, Math.floor((bytesPerDay ?? 0) / 4));
  }

  /** The account with so much reserved for the lane, as it is to be stored. */
  #reserving(lane: LaneName, bytes: number): Uint8Array {
    this.#count();
    this.#account = reserve(this.#account, lane, bytes);
    return encodeAccount(this.#account);
  }

  /** What was spent before midnight is of the day before: it is looked often enough. */
  #count(): void {
    for (const [lane, linkBytes] of this.#traffic) {
      // Sockets that are gone may count a little less than while they were there.
      const more = Math.max(0, linkBytes() - this.#counted[lane]);
      this.#counted[lane] += more;
      this.#account = spend(this.#account, lane, more);
    }
    this.#account = onDay(this.#account, this.#local()?.day ?? null);
  }

  #local(): LocalTime | null {
    const { meteredLink, clock } = this.#options;
    return meteredLink?.isClockSet() === true ? meteredLink.localTime(clock.wallMs()) : null;
  }
}
