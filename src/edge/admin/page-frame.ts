import type { AlertJson } from '../../anomaly/alerts/verdict.ts';
import { alertJson } from '../../anomaly/alerts/verdict.ts';
import type { StatusReport } from '../status.ts';
import type { AlertDesk } from './alert-requests.ts';

/** What the page shows, as it comes about every second. */
export interface PageFrame {
  /** The wall clock of the gateway. */
  readonly nowMs: number;
  readonly status: StatusReport;
  /** Records made durable in this run, by their source. */
  readonly accepted: Readonly<Record<string, number>>;
  /** Null if anomaly detection is switched off. */
  readonly alerts: readonly AlertJson[] | null;
}

export interface PageFrameOptions {
  readonly wallMs: () => number;
  readonly status: () => Promise<StatusReport>;
  readonly accepted: () => Readonly<Record<string, number>>;
  readonly alerts: Pick<AlertDesk, 'list'> | null;
}

/** Takes one. */
export async function pageFrame({ wallMs, status, accepted, alerts }: PageFrameOptions): Promise<PageFrame> {
  return {
    nowMs: wallMs(),
    status: await status(),
    accepted: accepted(),
    alerts: alerts?.list().map(alertJson) ?? null,
  };
}
