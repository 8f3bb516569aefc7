import type { AlertJson } from '../src/anomaly/alerts/verdict.ts';
import type { AdminClient } from '../src/edge/cli/admin-client.ts';

/** A record of the topic `anomalies`: what has become of an alert, and when by the time of its readings. */
export type AlertEvent = AlertJson & { readonly event: string; readonly timeMs: number };

/** Follows what the gateway finds, in its topic `anomalies`. */
export class AnomalyFeed {
  /** Alerts as they were raised, in the order in which they were. */
  readonly raised: AlertEvent[] = [];
  /** Records of the topic that have come. */
  seen = 0;
  readonly #onRaised: (event: AlertEvent) => void;

  constructor(onRaised: (event: AlertEvent) => void) {
    this.#onRaised = onRaised;
  }

  /** Follows the topic until the signal; rejects if the gateway ends that before. */
  async follow(admin: AdminClient, signal: AbortSignal): Promise<void> {
    for await (const line of admin.lines('/api/records?topic=anomalies&follow=true', signal)) {
      const { value } = JSON.parse(line.toString('utf8')) as { readonly value: string };
      const event = JSON.parse(value) as AlertEvent;
      this.seen += 1;
      if (event.event !== 'raised') continue;
      this.raised.push(event);
      this.#onRaised(event);
    }
    if (!signal.aborted) throw new Error('the gateway has stopped telling what it finds');
  }
}
