import { limits } from '../../../core/limits.ts';
import type { Changes, StoredRetained } from './session-store.ts';
import { ownBytes } from './sessions.ts';
import { TopicTree } from './topic-tree.ts';

/** A message as the broker gives it to new subscribers. */
export interface RetainedPacket {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos: number;
  readonly retain: boolean;
}

/** The last retained message of each topic, within bounds; what changes is noted, and written by somebody else. */
export class Retained {
  readonly #onChange: () => void;
  readonly #byTopic = new Map<string, RetainedPacket>();
  readonly #changed = new Set<string>();
  /** Of the gateway itself, which says them anew after each start. */
  readonly #told = new Map<string, RetainedPacket>();
  #bytes = 0;

  /** @param onChange something is to be written */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#byTopic.size;
  }

  /** Takes in what was stored. */
  restore(rows: readonly StoredRetained[]): void {
    for (const row of rows) this.#put({ cmd: 'publish', ...row, retain: true } as RetainedPacket);
  }

  /**
   * From now on new subscribers are given this message; an empty one takes the topic's message away. False if there is no
   * room for it: then the topic has none, because the one before is no longer the last.
   */
  set(packet: RetainedPacket): boolean {
    const { topic, payload } = packet;
    this.#remove(topic);
    this.#changed.add(topic);
    this.#onChange();
    if (payload.length === 0) return true;
    const isRoom =
      this.#byTopic.size < limits.mqttRetainedMax &&
      this.#bytes + weightOf(packet) <= limits.mqttRetainedBytesMax;
    // A copy: the payload is a slice of a whole chunk of the socket, which would be retained with it.
    if (isRoom) this.#put({ ...packet, payload: typeof payload === 'string' ? payload : ownBytes(payload) });
    return isRoom;
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /**
   * From now on new subscribers are given this, too; it is not stored. An empty one takes the topic's message away. False if they
   * were given the same before.
   */
  tell(packet: RetainedPacket): boolean {
    if (packet.payload.length === 0) return this.#told.delete(packet.topic);
    if (this.#told.get(packet.topic)?.payload === packet.payload) return false;
    this.#told.set(packet.topic, packet);
    return true;
  }

  /** Those whose topic one of the filters stands for. */
  *matching(filters: readonly string[]): Iterable<RetainedPacket> {
    const tree = new TopicTree();
    for (const filter of filters) tree.set({ clientId: '', topic: filter, qos: 0 });
    for (const packet of [...this.#byTopic.values(), ...this.#told.values()])
      if (tree.match(packet.topic).length > 0) yield packet;
  }

  /** What has changed since the last call; or everything. */
  changes(isWhole: boolean): Changes<string, StoredRetained> {
    const changed = isWhole ? [...this.#byTopic.keys()] : [...this.#changed];
    this.#changed.clear();
    return {
      put: changed.flatMap((topic) => {
        const packet = this.#byTopic.get(topic);
        return packet === undefined ? [] : [{ topic, qos: packet.qos, payload: Buffer.from(packet.payload) }];
      }),
      remove: changed.filter((topic) => !this.#byTopic.has(topic)),
    };
  }

  #put(packet: RetainedPacket): void {
    this.#byTopic.set(packet.topic, packet);
    this.#bytes += weightOf(packet);
  }

  #remove(topic: string): void {
    const before = this.#byTopic.get(topic);
    if (before === undefined) return;
    this.#byTopic.delete(topic);
    this.#bytes -= weightOf(before);
  }
}

const weightOf = ({ topic, payload }: RetainedPacket): number =>
  topic.length + payload.length + limits.mqttMessageOverheadBytes;
