import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { ForwarderStatus } from '../forwarder/progress/status.ts';

export interface MirrorReportOptions {
  readonly status: () => ForwarderStatus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells the service log once an hour how the mirror does, for those who have nothing but the log. Ends with the signal. */
export async function reportMirror(options: MirrorReportOptions, signal: AbortSignal): Promise<void> {
  const { status, clock, logger } = options;
  for (;;) {
    await clock.sleep(limits.mirrorReportIntervalMs, signal);
    if (signal.aborted) return;
    const now = status();
    const { lagRecords, lagBytes, lagSeconds, goodput, drain, lastDay, retries, secondsSinceAcknowledged } =
      now;
    const fields = {
      lagRecords,
      lagBytes,
      lagSeconds: Math.round(lagSeconds),
      recordsPerSecond: goodput.recordsPerSecond,
      bytesPerSecond: goodput.bytesPerSecond,
      drain: drain.state === 'draining' ? Math.round(drain.secondsLeft) : drain.state,
      secondsSinceAcknowledged,
      lastDayBytes: lastDay.bytesAcknowledged,
      lastDayLinkBytes: lastDay.linkBytesWritten,
      retries,
      ...(now.link === null ? {} : { linkSpentBytes: now.link.spentBytes, bulkRests: now.link.rest?.reason }),
    };
    if (now.isStale) logger.warn(fields, `the mirror is stale: ${now.message}`);
    else logger.info(fields, `the mirror: ${now.message}`);
  }
}
