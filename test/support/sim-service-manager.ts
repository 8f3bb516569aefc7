import type { Clock } from '../../src/core/clock.ts';
import type { ServiceManager, ServiceNews } from '../../src/core/service-manager.ts';

export interface SimServiceOptions {
  readonly clock: Clock;
  readonly watchdogMs?: number | null;
  /** As `TimeoutStartSec=` and `TimeoutStopSec=`. */
  readonly startMs?: number;
  readonly stopMs?: number;
}

/**
 * A service manager that does as systemd: it gives up a start or a stop that takes too long, unless it is asked for more
 * time, and ends a service that is ready and does not say in time that it is alive. Begins when it is made.
 */
export class SimServiceManager implements ServiceManager {
  readonly watchdogMs: number | null;
  readonly told: ServiceNews[] = [];
  readonly #clock: Clock;
  readonly #stopMs: number;
  #phase: 'starting' | 'ready' | 'stopping' = 'starting';
  #endsAtMs: number;
  #ended: string | null = null;

  constructor({ clock, watchdogMs = null, startMs = 90_000, stopMs = 90_000 }: SimServiceOptions) {
    this.#clock = clock;
    this.watchdogMs = watchdogMs;
    this.#stopMs = stopMs;
    this.#endsAtMs = clock.monotonicMs() + startMs;
  }

  tell(news: ServiceNews): void {
    // What an ended process says is not heard.
    if (this.ended !== null) return;
    this.told.push(news);
    const nowMs = this.#clock.monotonicMs();
    if (news.ready) this.#enter('ready', this.watchdogMs ?? Number.POSITIVE_INFINITY);
    if (news.stopping) this.#enter('stopping', this.#stopMs);
    if (news.alive && this.#phase === 'ready' && this.watchdogMs !== null)
      this.#endsAtMs = nowMs + this.watchdogMs;
    if (news.extendMs !== undefined && this.#phase !== 'ready')
      this.#endsAtMs = Math.max(this.#endsAtMs, nowMs + news.extendMs);
  }

  /** What it was too slow in, if it has been ended; null while it runs. */
  get ended(): string | null {
    if (this.#ended === null && this.#clock.monotonicMs() > this.#endsAtMs) this.#ended = this.#phase;
    return this.#ended;
  }

  /** The status lines, in their order. */
  get statuses(): readonly string[] {
    return this.told.flatMap(({ status }) => status ?? []);
  }

  /** How often it was told that the service is alive. */
  get pings(): number {
    return this.told.filter(({ alive }) => alive).length;
  }

  #enter(phase: 'ready' | 'stopping', ms: number): void {
    this.#phase = phase;
    this.#endsAtMs = this.#clock.monotonicMs() + ms;
  }
}
