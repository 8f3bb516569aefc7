import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Qos2Id } from '../../core/qos2.ts';
import { type Entry, type Qos2Ids, qos2IdEntry, qos2ReleaseEntry } from './entries.ts';

const none: ReadonlySet<number> = new Set();

/** The open QoS 2 ids, as the entries of the journal say. Clients are in the order of their last new id. */
export class OpenQos2Ids {
  readonly #byClient = new Map<string, Set<number>>();
  #size = 0;

  /** How many ids are open, of all clients together. */
  get size(): number {
    return this.#size;
  }

  of(client: string): ReadonlySet<number> {
    return this.#byClient.get(client) ?? none;
  }

  /** The clients with open ids, the one whose last id is the oldest first. */
  clients(): Iterable<string> {
    return this.#byClient.keys();
  }

  open({ client, packetIds }: Qos2Ids): void {
    const ids = this.#byClient.get(client) ?? new Set();
    this.#size -= ids.size;
    for (const packetId of packetIds) ids.add(packetId);
    this.#size += ids.size;
    this.#byClient.delete(client);
    this.#byClient.set(client, ids);
  }

  /** Without packet ids: all of the client. */
  release({ client, packetIds }: Qos2Ids): void {
    const ids = this.#byClient.get(client);
    if (ids === undefined) return;
    this.#size -= ids.size;
    for (const packetId of packetIds) ids.delete(packetId);
    if (packetIds.length === 0 || ids.size === 0) this.#byClient.delete(client);
    else this.#size += ids.size;
  }

  /** Entries which give the same ids in the same order again. */
  entries(): Entry[] {
    return [...this.#byClient].map(([client, ids]) => qos2IdEntry({ client, packetIds: [...ids] }));
  }
}

/**
 * What one commit does to the open ids: the ids before it, seen through what is planned so far. Above
 * `limits.qos2OpenIdsMax` the ids of whichever client has been silent longest are released: a new reading is never
 * refused because of devices that do not come back.
 */
export class Qos2Plan {
  readonly #before: OpenQos2Ids;
  readonly #planned = new OpenQos2Ids();
  readonly #released = new OpenQos2Ids();
  readonly #releasedClients = new Set<string>();
  #size: number;
  /** In the order in which they must be applied. */
  readonly entries: Entry[] = [];
  /** Clients whose ids are given up because of the limit. */
  readonly forgotten: string[] = [];

  constructor(before: OpenQos2Ids) {
    this.#before = before;
    this.#size = before.size;
  }

  isOpen({ client, packetId }: Qos2Id): boolean {
    if (this.#planned.of(client).has(packetId)) return true;
    if (this.#releasedClients.has(client) || this.#released.of(client).has(packetId)) return false;
    return this.#before.of(client).has(packetId);
  }

  /** The id must not be open. */
  open({ client, packetId }: Qos2Id): void {
    const ids = { client, packetIds: [packetId] };
    this.#planned.open(ids);
    this.#size += 1;
    this.entries.push(qos2IdEntry(ids));
    if (this.#size > limits.qos2OpenIdsMax) this.#forgetOldest();
  }

  release(id: Qos2Id): void {
    if (!this.isOpen(id)) return;
    const ids = { client: id.client, packetIds: [id.packetId] };
    this.#planned.release(ids);
    if (this.#before.of(id.client).has(id.packetId)) this.#released.open(ids);
    this.#size -= 1;
    this.entries.push(qos2ReleaseEntry(ids));
  }

  releaseAll(client: string): void {
    const all = { client, packetIds: [] };
    this.#size -= this.#planned.of(client).size;
    if (!this.#releasedClients.has(client)) {
      this.#size -= this.#before.of(client).size - this.#released.of(client).size;
    }
    this.#planned.release(all);
    this.#releasedClients.add(client);
    this.entries.push(qos2ReleaseEntry(all));
  }

  #forgetOldest(): void {
    for (const client of this.#before.clients()) {
      if (this.#releasedClients.has(client) || this.#planned.of(client).size > 0) continue;
      this.releaseAll(client);
      this.forgotten.push(client);
      return;
    }
  }
}

/** Says which clients' ids were given up to make room for newer ones. */
export function tellForgotten(
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
  clients: readonly string[],
): void {
  for (const client of clients) {
    metrics.add('headwater_qos2_clients_forgotten_total', 1);
    logger.warn(
      { client },
      'too many QoS 2 handshakes are unfinished: those of this client, which was silent longest, are given up; ' +
        'what it sends again will be stored again',
    );
  }
}
