import type { Alert } from '../anomaly/alerts/alert.ts';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import { AlertTopics, type Told } from './alert-topics.ts';
import type { PresentStatus } from './status.ts';

export interface ToldTopicsOptions {
  readonly status: () => PresentStatus;
  /** Gives the messages to subscribers, those that have changed. */
  readonly tell: (messages: readonly Told[]) => void;
  /** Null if anomaly detection is switched off. */
  readonly alerts: AlertFeed | null;
  readonly clock: Clock;
}

/** The alerts that there are, for those who want to hear of them at once. */
export interface AlertFeed {
  /** All that are not normal, the worst first. */
  list(): readonly Alert[];
  /** Aborted by the next change that is durable; a new one after that. */
  news(): AbortSignal;
}

/** What rules on site can be made of: how the gateway is, below `$headwater/`. Who is to know more asks for the status. */
export function toldTopics(report: PresentStatus): readonly Told[] {
  const { gateway, version, state, reasons, log, clock, mqtt, serial, modbus, forwarder, anomaly } = report;
  const whole = {
    gateway,
    version,
    state,
    reasons,
    clockSet: clock.isSet,
    disk: { usedBytes: log.usedBytes, budgetBytes: log.budgetBytes },
    unrouted: mqtt.unrouted.map(({ mqttTopic, problem }) => ({ mqttTopic, problem })),
    serial: serial.map((port) => ({ name: port.name, state: port.state })),
    modbus: modbus.map((bus) => ({
      name: bus.name,
      state: bus.state,
      units: bus.units.map((unit) => ({ name: unit.name, state: unit.state })),
    })),
    sources: mqtt.sources.map((source) => ({ name: source.name, state: source.state })),
    forwarder: forwarder && {
      state: forwarder.state,
      lagRecords: forwarder.lagRecords,
      lagSeconds: Math.round(forwarder.lagSeconds),
      isStale: forwarder.isStale,
      lastAcknowledgedMs: forwarder.lastAcknowledgedMs,
    },
    alerts: anomaly && { open: anomaly.alerts.open, unacknowledged: anomaly.alerts.unacknowledged },
  };
  return [
    { topic: '$headwater/status', payload: JSON.stringify(whole) },
    { topic: '$headwater/state', payload: state },
    { topic: '$headwater/forwarder/state', payload: forwarder?.state ?? 'off' },
    { topic: '$headwater/forwarder/lag', payload: `${forwarder?.lagRecords ?? 0}` },
  ];
}

/** Tells subscribers of the local broker how the gateway is, again and again. Ends with the signal. */
export async function tellTopics(
  { status, tell, alerts, clock }: ToldTopicsOptions,
  signal: AbortSignal,
): Promise<void> {
  const alertTopics = new AlertTopics();
  while (!signal.aborted) {
    const untilNews = alerts === null ? signal : AbortSignal.any([signal, alerts.news()]);
    tell([...toldTopics(status()), ...(alerts === null ? [] : alertTopics.messages(alerts.list()))]);
    await clock.sleep(limits.toldTopicsIntervalMs, untilNews);
  }
}
