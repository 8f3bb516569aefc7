import { limits } from '../../core/limits.ts';
import type { MqttLimits } from './mqtt-limits.ts';

/** The topic filters that each connection has subscribed to, within bounds. */
export class GrantedFilters {
  readonly #limits: Pick<MqttLimits, 'subscriptionsMax'>;
  readonly #byClient = new WeakMap<object, Set<string>>();

  constructor(own: Pick<MqttLimits, 'subscriptionsMax'>) {
    this.#limits = own;
  }

  /** Whether the client may have this filter, too; it then has it. */
  grant(client: object, filter: string): boolean {
    const filters = this.#byClient.get(client) ?? new Set();
    if (filters.has(filter)) return true;
    const bytes = [...filters].reduce((sum, { length }) => sum + length, filter.length);
    if (filters.size >= this.#limits.subscriptionsMax || bytes > limits.mqttSubscriptionBytesMax)
      return false;
    this.#byClient.set(client, filters.add(filter));
    return true;
  }

  has(client: object, filter: string): boolean {
    return this.#byClient.get(client)?.has(filter) === true;
  }

  revoke(client: object, filters: readonly string[]): void {
    for (const filter of filters) this.#byClient.get(client)?.delete(filter);
  }
}
