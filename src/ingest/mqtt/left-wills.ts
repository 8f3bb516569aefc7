import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { Publish, Publisher, PublishGate } from './publish-gate.ts';
import type { Refusal } from './refusals.ts';
import type { StoredWill } from './sessions/session-store.ts';
import type { Wills } from './sessions/wills.ts';

export interface LeftWillsOptions {
  readonly left: readonly StoredWill[];
  readonly wills: Wills;
  readonly gate: PublishGate;
  /** Makes known who a client was that an earlier run had let in; false if it would be let in no longer. */
  readonly recall: (client: Publisher, user: string | null) => boolean;
  /** Delivers a durable message to subscribers. */
  readonly deliver: (message: Publish) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Publishes the wills of clients whose connections ended with an earlier run, and which have not come back in the time in
 * which they would have been missed then: 1.5 times their keep-alive [MQTT-3.1.2-24], `limits.mqttWillWaitMsMax` at most.
 */
export async function publishLeftWills(options: LeftWillsOptions): Promise<void> {
  const { left, clock, signal } = options;
  const startedMs = clock.monotonicMs();
  for (const will of left.toSorted((one, other) => waitMs(one) - waitMs(other))) {
    await clock.sleep(Math.max(0, startedMs + waitMs(will) - clock.monotonicMs()), signal);
    while (!signal.aborted && (await publishLeftWill(will, options)) === 'later')
      await clock.sleep(limits.mqttWillWaitMsMax, signal);
    if (signal.aborted) return;
  }
}

const waitMs = ({ keepAliveMs }: StoredWill): number =>
  keepAliveMs === 0 ? limits.mqttWillWaitMsMax : Math.min(keepAliveMs * 1.5, limits.mqttWillWaitMsMax);

/** `later`: the log does not take it now. */
async function publishLeftWill(
  will: StoredWill,
  { wills, gate, recall, deliver }: LeftWillsOptions,
): Promise<'done' | 'later'> {
  // Its client is back, with another will or with none.
  if (wills.find(will.client) !== will) return 'done';
  const publisher: Publisher = { id: will.client, closed: true };
  const { topic, qos, retain } = will;
  const message: Publish = { topic, payload: Buffer.from(will.payload), qos, retain };
  if (!recall(publisher, will.user)) {
    wills.delete(will.client);
    return 'done';
  }
  const refusal = await new Promise<Refusal | null>((resolve) => gate.publish(publisher, message, resolve));
  if (refusal?.reason === 'log-unavailable' || refusal?.reason === 'log-overloaded') return 'later';
  if (wills.find(will.client) === will) wills.delete(will.client);
  if (refusal === null) deliver(message);
  return 'done';
}
