/** What the clocks say at one moment, and what is known of them. */
export interface ClockReading {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** Which start of the machine this is, 32 hex digits. */
  readonly bootId: string;
  /** Whether the wall clock is known to be right. */
  readonly isSet: boolean;
}

/** The machine's two clocks and its timers. Nothing outside `platform` reads time any other way. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. It can be wrong and can jump. */
  wallMs(): number;
  /** Monotonic clock, milliseconds since about the start of the machine, the same for all that runs there. It never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
