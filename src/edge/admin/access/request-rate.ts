import type { Clock } from '../../../core/clock.ts';
import { limits } from '../../../core/limits.ts';
import { networkOf } from '../../users/login-throttle.ts';

interface Count {
  readonly beganMs: number;
  requests: number;
}

/** Counts requests of strangers by their addresses, so that none of them can keep the gateway busy. */
export class RequestRate {
  readonly #clock: Clock;
  /** By network, the one counted for longest first. */
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a request, and says in how many milliseconds another one is answered; 0 if this one may be. */
  waitMs(host: string): number {
    const nowMs = this.#clock.monotonicMs();
    const network = networkOf(host);
    const kept = this.#counts.get(network);
    const count =
      kept === undefined || nowMs - kept.beganMs >= limits.adminOpenRequestsMs
        ? this.#begin(network, nowMs)
        : kept;
    count.requests += 1;
    return count.requests <= limits.adminOpenRequestsMax
      ? 0
      : Math.max(1, count.beganMs + limits.adminOpenRequestsMs - nowMs);
  }

  #begin(network: string, nowMs: number): Count {
    const count: Count = { beganMs: nowMs, requests: 0 };
    this.#counts.delete(network);
    this.#counts.set(network, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= limits.adminAddressesCountedMax) break;
      this.#counts.delete(oldest);
    }
    return count;
  }
}
