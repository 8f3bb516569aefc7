import type { LogRecord } from '../../core/record.ts';
import type { Alert } from './alert.ts';
import { alertMessage } from './alert-message.ts';
import { topicOf } from './series-name.ts';

/**
 * What becomes of an alert. `suppressed`: it is closed because an alert that stands for it as well was raised; it comes back as
 * `raised` if it outlasts that. `noted`: something that is worth telling, but no anomaly.
 */
export type AlertChange =
  | 'raised'
  | 'cleared'
  | 'suppressed'
  | 'acknowledged'
  | 'shelved'
  | 'unshelved'
  | 'noted';

/** A change of an alert that is to be told, with the alert as it is then. */
export interface Telling {
  readonly change: AlertChange;
  readonly alert: Alert;
  readonly timeMs: number;
}

/** More was found than there is room for: it begins, and ends with the number of findings that no alert was made of. */
export interface FloodTelling {
  readonly change: 'flood-began' | 'flood-ended';
  readonly heldBack: number;
  readonly timeMs: number;
}

/** An alert as JSON has it: its fields, the topic of its records (null for the whole gateway), and a sentence for people. */
export const alertJson = (alert: Alert): AlertJson => ({
  ...alert,
  topic: topicOf(alert.series),
  message: alertMessage(alert),
});

/** See {@link alertJson}. */
export type AlertJson = Alert & { readonly topic: string | null; readonly message: string };

/** The record of the topic `anomalies` that tells a change: its key is the series, its value JSON in UTF-8. */
export function verdictRecord({ change, alert, timeMs }: Telling): LogRecord {
  return record(alert.series, { event: change, timeMs, ...alertJson(alert) }, timeMs);
}

/** The same for a flood; its key is that of the gateway as a whole. */
export function floodRecord({ change, heldBack, timeMs }: FloodTelling): LogRecord {
  const message =
    change === 'flood-began'
      ? 'so many alerts are open that further findings are only counted'
      : `there is room for alerts again; ${heldBack} findings were only counted`;
  return record('*', { event: change, timeMs, heldBack, message }, timeMs);
}

const record = (key: string, value: object, timestampMs: number): LogRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(JSON.stringify(value)),
  timestampMs,
  headers: [],
});
