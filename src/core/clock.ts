/** The machine's two clocks and its timers. Nothing outside `platform` reads time any other way. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. It can be wrong and can jump. */
  wallMs(): number;
  /** Monotonic clock, milliseconds since some fixed instant of this run. It never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
