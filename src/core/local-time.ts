/** What the clock on the wall shows at one moment, where the gateway stands. */
export interface LocalTime {
  /** The calendar day as `2026-01-31`, so that days compare as text. */
  readonly day: string;
  /** Milliseconds of the day, as the clock shows them: an hour may be skipped or come twice. */
  readonly msOfDay: number;
}

/** The local time of a moment, given as milliseconds since 1970 UTC. */
export type ReadLocalTime = (wallMs: number) => LocalTime;
