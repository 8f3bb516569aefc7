import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';

/**
 * Says whether a login may be tried, after many that failed. Failures count for the user at that address, for the address,
 * and for the user; but of the last two, a user who has logged in from the address before knows nothing: no stranger can
 * lock a device out, nor can a device behind the same router that has a wrong password.
 */
export class LoginThrottle {
  readonly #pairs: Failures;
  readonly #addresses: Failures;
  readonly #users: Failures;
  /** Pairs that have logged in, the longest unused first. */
  readonly #known = new Set<string>();

  constructor(clock: Clock) {
    this.#pairs = new Failures(clock, limits.loginPairFailuresMax);
    this.#addresses = new Failures(clock, limits.loginAddressFailuresMax);
    this.#users = new Failures(clock, limits.loginUserFailuresMax);
  }

  /** Whether the password may be looked at. */
  mayTry(user: string, host: string): boolean {
    return this.waitMs(user, host) === 0;
  }

  /** In how many milliseconds the password may be looked at, if no other attempt fails meanwhile. */
  waitMs(user: string, host: string): number {
    const pair = pairOf(user, host);
    const ownMs = this.#pairs.waitMs(pair);
    if (this.#known.has(pair)) return ownMs;
    return Math.max(ownMs, this.#addresses.waitMs(networkOf(host)), this.#users.waitMs(user));
  }

  /** A password was wrong, or there is no such user. */
  failed(user: string, host: string): void {
    this.#pairs.add(pairOf(user, host));
    this.#addresses.add(networkOf(host));
    this.#users.add(user);
  }

  /** A password was right. */
  succeeded(user: string, host: string): void {
    const pair = pairOf(user, host);
    this.#pairs.forget(pair);
    this.#known.delete(pair);
    this.#known.add(pair);
    if (this.#known.size <= limits.loginsRememberedMax) return;
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }
}

/** Counts failures by name, each of which is forgotten in its time; of many names, those that failed last are kept. */
class Failures {
  readonly #clock: Clock;
  readonly #failuresMax: number;
  /** When all failures of a name are forgotten, by the monotonic clock. */
  readonly #forgottenAtMs = new Map<string, number>();

  constructor(clock: Clock, failuresMax: number) {
    this.#clock = clock;
    this.#failuresMax = failuresMax;
  }

  /** Until there are fewer than too many. */
  waitMs(name: string): number {
    const leftMs = (this.#forgottenAtMs.get(name) ?? 0) - this.#clock.monotonicMs();
    return Math.max(0, leftMs - (this.#failuresMax - 1) * limits.loginFailureForgottenMs);
  }

  add(name: string): void {
    const nowMs = this.#clock.monotonicMs();
    const fromMs = Math.max(nowMs, this.#forgottenAtMs.get(name) ?? 0);
    this.#forgottenAtMs.delete(name);
    this.#forgottenAtMs.set(name, fromMs + limits.loginFailureForgottenMs);
    for (const [oldest] of this.#forgottenAtMs) {
      if (this.#forgottenAtMs.size <= limits.loginsRememberedMax) return;
      this.#forgottenAtMs.delete(oldest);
    }
  }

  forget(name: string): void {
    this.#forgottenAtMs.delete(name);
  }
}

const pairOf = (user: string, host: string): string => `${networkOf(host)} ${user}`;

/** An IPv4 address, or of an IPv6 one the first half: whoever has one of these has all with the same half. */
export function networkOf(host: string): string {
  if (!isIPv6(host)) return host;
  const [before = '', after] = host.split('%')[0]?.split('::') ?? [];
  const start = before === '' ? [] : before.split(':');
  const end = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - start.length - end.length) }, () => '0');
  return [...start, ...zeros, ...end].slice(0, 4).join(':');
}
