import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { StatusReport } from './status.ts';

/** A message of the gateway itself. */
export interface Told {
  readonly topic: string;
  readonly payload: string;
}

export interface ToldTopicsOptions {
  readonly status: () => Promise<StatusReport>;
  /** Gives the messages to subscribers, those that have changed. */
  readonly tell: (messages: readonly Told[]) => void;
  readonly clock: Clock;
}

/** What rules on site can be made of: how the gateway is, below `$headwater/`. Nothing in it tells of users, folders or addresses. */
export function toldTopics(report: StatusReport): readonly Told[] {
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
    forwarder: forwarder && {
      state: forwarder.state,
      message: forwarder.message,
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
    tell(toldTopics(await status()));
    await clock.sleep(limits.toldTopicsIntervalMs, signal);
  }
}
