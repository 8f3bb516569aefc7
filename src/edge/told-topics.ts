import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { PresentStatus } from './status.ts';

/** A message of the gateway itself. */
export interface Told {
  readonly topic: string;
  readonly payload: string;
}

export interface ToldTopicsOptions {
  readonly status: () => PresentStatus;
  /** Gives the messages to subscribers, those that have changed. */
  readonly tell: (messages: readonly Told[]) => void;
  readonly clock: Clock;
}

/** What rules on site can be made of: how the gateway is, below `$headwater/`. Who is to know more asks for the status. */
export function toldTopics(report: PresentStatus): readonly Told[] {
  const { gateway, version, state, reasons, log, clock, mqtt, serial, forwarder } = report;
  const whole = {
    gateway,
    version,
    state,
    reasons,
    clockSet: clock.isSet,
    disk: { usedBytes: log.usedBytes, budgetBytes: log.budgetBytes },
    unrouted: mqtt.unrouted.map(({ mqttTopic, problem }) => ({ mqttTopic, problem })),
    serial: serial.map((port) => ({ name: port.name, state: port.state })),
    sources: mqtt.sources.map((source) => ({ name: source.name, state: source.state })),
    forwarder: forwarder && {
      state: forwarder.state,
      lagRecords: forwarder.lagRecords,
      lagSeconds: Math.round(forwarder.lagSeconds),
      isStale: forwarder.isStale,
      lastAcknowledgedMs: forwarder.lastAcknowledgedMs,
    },
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
  { status, tell, clock }: ToldTopicsOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    tell(toldTopics(status()));
    await clock.sleep(limits.toldTopicsIntervalMs, signal);
  }
}
