import type { NewRecord } from './record.ts';

/** Which QoS 2 message of which MQTT client: its packet id, 1 to 65,535, until the client may use that again. */
export interface Qos2Id {
  readonly client: string;
  readonly packetId: number;
}

/**
 * What the log keeps for MQTT's QoS 2, whatever crashes in between: an id is open from the commit of its record to the
 * commit of its release. What waits for a commit rejects with an {@link import('./errors.ts').OperatingError} if it
 * did not become durable: the same may be asked again.
 */
export interface Qos2Log {
  /**
   * Appends the record and opens the id, both in one commit. Resolves once that is durable: true if the record was
   * stored now, false if the id was open already, so that the record is in the log since then.
   */
  appendOnce(record: NewRecord, id: Qos2Id): Promise<boolean>;
  /** Closes the id; resolves once that is durable. No error if it is not open. */
  release(id: Qos2Id): Promise<void>;
  /** Closes all ids of a client, also those that still wait for their commit; resolves once that is durable. */
  releaseAll(client: string): Promise<void>;
  /** The ids of a client that are durably open. */
  openQos2Ids(client: string): ReadonlySet<number>;
}
