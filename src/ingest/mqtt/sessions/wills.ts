import { limits } from '../../../core/limits.ts';
import type { Changes, StoredWill } from './session-store.ts';

/** The wills of connected clients, and of those whose connection an earlier run took with it; what changes is noted. */
export class Wills {
  readonly #onChange: () => void;
  readonly #byClient = new Map<string, StoredWill>();
  readonly #changed = new Set<string>();
  #bytes = 0;

  /** @param onChange something is to be written */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Takes in what was stored: these clients may come back. */
  restore(rows: readonly StoredWill[]): void {
    for (const will of rows) this.#put(will);
  }

  get all(): readonly StoredWill[] {
    return [...this.#byClient.values()];
  }

  find(client: string): StoredWill | undefined {
    return this.#byClient.get(client);
  }

  /** False if there is no room for it: then it is published by this run, or by none. */
  set(will: StoredWill): boolean {
    this.delete(will.client);
    if (this.#bytes + weightOf(will) > limits.mqttWillsBytesMax) return false;
    this.#put(will);
    this.#note(will.client);
    return true;
  }

  delete(client: string): StoredWill | undefined {
    const will = this.#byClient.get(client);
    if (will === undefined) return undefined;
    this.#byClient.delete(client);
    this.#bytes -= weightOf(will);
    this.#note(client);
    return will;
  }

  /** What has changed since the last call; or everything. */
  changes(isWhole: boolean): Changes<string, StoredWill> {
    const changed = isWhole ? [...this.#byClient.keys()] : [...this.#changed];
    this.#changed.clear();
    return {
      put: changed.flatMap((client) => this.#byClient.get(client) ?? []),
      remove: changed.filter((client) => !this.#byClient.has(client)),
    };
  }

  #put(will: StoredWill): void {
    this.#byClient.set(will.client, will);
    this.#bytes += weightOf(will);
  }

  #note(client: string): void {
    this.#changed.add(client);
    this.#onChange();
  }
}

const weightOf = ({ client, topic, payload }: StoredWill): number =>
  client.length + topic.length + payload.length + limits.mqttMessageOverheadBytes;
