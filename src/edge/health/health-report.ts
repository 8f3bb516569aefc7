/** How the gateway is, as the watchdog, `/healthz`, `/readyz`, status and metrics say it. */
export interface HealthReport {
  /**
   * Whether it should go on as it is: it does its work, or starting it anew would not help, as on a full disk. Otherwise the
   * watchdog ends it.
   */
  readonly isHealthy: boolean;
  /** Why readings are not taken now, in words; empty if they are. */
  readonly reasons: readonly string[];
}

/** What a report asks of the log. */
export interface JudgedLog {
  readonly available: boolean;
  readonly unavailableReason: string | null;
}

/** What there is to report; `stuckMs` is how long no commit has completed that should have, null if that is not so. */
export function healthReport(log: JudgedLog, stuckMs: number | null): HealthReport {
  const refusal = log.available ? [] : [log.unavailableReason ?? 'the log cannot make anything durable'];
  const stuck =
    stuckMs === null
      ? []
      : [`no commit has completed for ${Math.round(stuckMs / 1000)} s: the disk does not answer`];
  return { isHealthy: stuckMs === null, reasons: [...refusal, ...stuck] };
}

/** The report in one line; `mirror` is what the mirror says of itself, null without a cluster. */
export function statusLine({ isHealthy, reasons }: HealthReport, mirror: string | null): string {
  if (reasons.length === 0) return `storing; ${mirror ?? 'no cluster is configured'}`;
  return `${isHealthy ? 'degraded' : 'stuck'}: ${reasons.join('; ')}`;
}
