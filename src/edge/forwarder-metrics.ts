import type { MetricLabels, MetricName } from '../core/metrics.ts';
import type { Drain } from '../forwarder/progress/goodput.ts';
import type { LinkStatus } from '../forwarder/progress/link-status.ts';
import type { ForwarderStatus } from '../forwarder/progress/status.ts';

/** Gauges, of which the values can be forgotten. */
export interface Gauges {
  set(name: MetricName, value: number, labels?: MetricLabels): void;
  forget(name: MetricName): void;
}

/** Enters the states of the mirror among the metrics as they are now; what it counts is there already. */
export function reportForwarder(status: ForwarderStatus, gauges: Gauges): void {
  const { topics, goodput, drain, lastDay, isStale, lastAcknowledgedMs, lastError } = status;
  // A topic may be gone.
  gauges.forget('headwater_forwarder_lag_records');
  gauges.forget('headwater_forwarder_lag_bytes');
  gauges.forget('headwater_forwarder_lag_seconds');
  for (const { topic, lagRecords, lagBytes, lagSeconds } of topics) {
    gauges.set('headwater_forwarder_lag_records', lagRecords, { topic });
    gauges.set('headwater_forwarder_lag_bytes', lagBytes, { topic });
    gauges.set('headwater_forwarder_lag_seconds', lagSeconds, { topic });
  }
  gauges.set('headwater_forwarder_goodput_records_per_second', goodput.recordsPerSecond);
  gauges.set('headwater_forwarder_goodput_bytes_per_second', goodput.bytesPerSecond);
  gauges.set('headwater_forwarder_arriving_records_per_second', goodput.arrivingRecordsPerSecond);
  gauges.set('headwater_forwarder_drain_seconds', drainSeconds(drain));
  gauges.set('headwater_forwarder_day_bytes', lastDay.linkBytesWritten);
  gauges.set('headwater_forwarder_stale', isStale ? 1 : 0);
  gauges.set('headwater_forwarder_last_acknowledged_timestamp_seconds', (lastAcknowledgedMs ?? 0) / 1000);
  gauges.set('headwater_forwarder_last_error_timestamp_seconds', (lastError?.atMs ?? 0) / 1000);
  if (status.link !== null) reportLink(status.link, gauges);
}

function reportLink({ bytesPerDay, spentBytes, rest }: LinkStatus, gauges: Gauges): void {
  if (bytesPerDay !== null) gauges.set('headwater_forwarder_link_budget_bytes', bytesPerDay);
  if (spentBytes !== null) gauges.set('headwater_forwarder_link_spent_bytes', spentBytes);
  for (const reason of ['hours', 'budget', 'clock'] as const)
    gauges.set('headwater_forwarder_bulk_rests', rest?.reason === reason ? 1 : 0, { reason });
  const seconds = rest === null ? 0 : (rest.secondsLeft ?? Number.NaN);
  gauges.set('headwater_forwarder_bulk_rest_seconds', seconds);
}

function drainSeconds({ state, secondsLeft }: Drain): number {
  switch (state) {
    case 'no-backlog':
      return 0;
    case 'unknown':
    case 'waits':
      return Number.NaN;
    case 'never':
      return Number.POSITIVE_INFINITY;
    case 'draining':
      return secondsLeft;
  }
}
