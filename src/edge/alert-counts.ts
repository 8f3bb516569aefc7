import type { Alert } from '../anomaly/alerts/alert.ts';
import type { AnomalyStatus } from '../anomaly/anomaly.ts';
import type { Metrics } from '../core/metrics.ts';

/** Severities of OPC UA in words, the worst first, each from a number on. */
export const severityLevels = [
  ['urgent', 800],
  ['high', 600],
  ['medium', 400],
  ['low', 1],
] as const;

export type SeverityLevel = (typeof severityLevels)[number][0];

/** How many alerts there are. */
export interface AlertCounts {
  /** Raised, not cleared, and not on the shelf. */
  readonly open: Readonly<Record<SeverityLevel, number>>;
  /** Of these, those that nobody has acknowledged. */
  readonly unacknowledged: number;
  readonly shelved: number;
  readonly pending: number;
}

/** What the status says of anomaly detection: how many alerts there are, but not which. */
export interface AnomalyReport extends Omit<AnomalyStatus, 'alerts'> {
  readonly alerts: AlertCounts;
}

/** Whether somebody has to know of it now: raised, not cleared, and not on the shelf. */
export const isOpen = ({ state, shelvedUntilMs }: Alert): boolean =>
  (state === 'active' || state === 'clearing') && shelvedUntilMs === null;

/** Counts the alerts of a book. */
export function alertCounts(alerts: readonly Alert[]): AlertCounts {
  const open = { urgent: 0, high: 0, medium: 0, low: 0 };
  for (const { severity } of alerts.filter(isOpen)) open[levelOf(severity)] += 1;
  return {
    open,
    unacknowledged: alerts.filter((alert) => isOpen(alert) && alert.acknowledgedMs === null).length,
    shelved: alerts.filter(({ shelvedUntilMs }) => shelvedUntilMs !== null).length,
    pending: alerts.filter(({ state, shelvedUntilMs }) => state === 'pending' && shelvedUntilMs === null)
      .length,
  };
}

/** What the status of the gateway says of detection. */
export const anomalyReport = (status: AnomalyStatus): AnomalyReport => ({
  ...status,
  alerts: alertCounts(status.alerts),
});

/** Enters how many alerts there are among the metrics. */
export function reportAlerts({ alerts, heldBack }: AnomalyReport, metrics: Metrics): void {
  for (const [severity] of severityLevels)
    metrics.set('headwater_alerts_open', alerts.open[severity], { severity });
  metrics.set('headwater_alerts_unacknowledged', alerts.unacknowledged);
  metrics.set('headwater_alerts_shelved', alerts.shelved);
  metrics.set('headwater_alerts_pending', alerts.pending);
  metrics.set('headwater_alerts_held_back', heldBack);
}

const levelOf = (severity: number): SeverityLevel =>
  severityLevels.find(([, from]) => severity >= from)?.[0] ?? 'low';
