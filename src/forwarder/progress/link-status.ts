/** What of the link the configuration allows to bulk, and what became of it; null where it says nothing. */
export interface LinkStatus {
  readonly bytesPerDay: number | null;
  /** What counts as spent of it today; both lanes, both directions, without what TLS, TCP and IP add. */
  readonly spentBytes: number | null;
  /** Spans of local time, as configured. */
  readonly hours: readonly string[] | null;
  /** Null while bulk may send. */
  readonly rest: Rest | null;
}

/** That bulk waits though there is nothing wrong: it is wanted. */
export interface Rest {
  readonly reason: 'hours' | 'budget' | 'clock';
  /** What the clock on the wall will show when it is over, such as `22:00`, `midnight` or `06:00 tomorrow`; null if nobody knows. */
  readonly until: string | null;
  /** How long that is by the clock as it is now; null if nobody knows. */
  readonly secondsLeft: number | null;
}

/** Why and until when bulk waits, for people. */
export function restText({ reason, until }: Rest): string {
  switch (reason) {
    case 'hours':
      return `bulk waits until ${until} (forwarder.hours)`;
    case 'budget':
      return `bulk waits until ${until ?? 'the clock is set and a new day begins'}: the link's bytes of today are used up (forwarder.bytesPerDay)`;
    case 'clock':
      return 'bulk waits until the clock is set, since nobody knows before whether it may send (forwarder.hours)';
  }
}
