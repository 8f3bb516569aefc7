import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Qos2Id, Qos2Log } from '../../core/qos2.ts';
import type { NewRecord } from '../../core/record.ts';
import type { LogState } from '../state/state.ts';
import type { Appended, Request } from './commit-plan.ts';
import { checkedSize, type PlacedRecord } from './placement.ts';

/** What QoS 2 needs of the log. */
export interface Qos2Commits {
  readonly state: LogState;
  /** @throws OperatingError `unknown-topic`, `illegal-partition` */
  place(record: NewRecord): PlacedRecord;
  push(request: Request, bytes: number): Promise<readonly Appended[]>;
  /** @throws OperatingError `log-unavailable` */
  refuseIfUnavailable(how?: { readonly needsRoom: boolean }): void;
}

/** The part of the log that MQTT's QoS 2 asks. */
export class Qos2Requests implements Qos2Log {
  readonly #log: Qos2Commits;
  /** Appends with an id that each client waits for. */
  readonly #waiting = new Map<string, number>();

  constructor(log: Qos2Commits) {
    this.#log = log;
  }

  /** Errors as those of an append. A record whose id is open is not stored again, whatever it says. */
  async appendOnce(record: NewRecord, id: Qos2Id): Promise<boolean> {
    this.#log.refuseIfUnavailable({ needsRoom: true });
    const { client } = id;
    assert(Buffer.byteLength(client) <= limits.mqttClientIdBytesMax, 'client ids are checked at CONNECT');
    const bytes = checkedSize(record) + limits.qos2RequestBytesMax;
    const placed = this.#log.place(record);
    const waiting = (by: number): number => (this.#waiting.get(client) ?? 0) + by;
    this.#waiting.set(client, waiting(1));
    try {
      const stored = await this.#log.push({ kind: 'records', records: [placed], once: id }, bytes);
      return stored.length > 0;
    } finally {
      if (waiting(-1) === 0) this.#waiting.delete(client);
      else this.#waiting.set(client, waiting(-1));
    }
  }

  /** @throws OperatingError `log-overloaded`, `log-unavailable` */
  async release(id: Qos2Id): Promise<void> {
    this.#log.refuseIfUnavailable();
    await this.#log.push({ kind: 'release', id }, limits.qos2RequestBytesMax);
  }

  /** @throws OperatingError `log-overloaded`, `log-unavailable`; never if the client has no ids */
  async releaseAll(client: string): Promise<void> {
    if (this.openQos2Ids(client).size === 0 && !this.#waiting.has(client)) return;
    this.#log.refuseIfUnavailable();
    await this.#log.push({ kind: 'release-all', client }, limits.qos2RequestBytesMax);
  }

  openQos2Ids(client: string): ReadonlySet<number> {
    return this.#log.state.qos2Ids.of(client);
  }
}
