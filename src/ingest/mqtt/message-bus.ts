import mqemitter, { type Message, type MQEmitter } from 'mqemitter';
import { limits } from '../../core/limits.ts';
import { TopicTree } from './sessions/topic-tree.ts';

type Listener = Parameters<MQEmitter['on']>[1];

/**
 * Brings messages to the subscribers that are connected, as mqemitter does it for the broker; but knows of recent topics that nobody
 * has subscribed to them, which is so for most that devices publish to, and spares their messages the search.
 */
export class MessageBus {
  readonly #emitter: MQEmitter;
  readonly #filters = new TopicTree<{ clientId: string; topic: string; qos: number }>();
  readonly #listeners = new Map<string, number>();
  readonly #unheard = new Set<string>();

  constructor() {
    // An empty level is one as well [MQTT-4.7.1-3].
    this.#emitter = mqemitter({ concurrency: limits.mqttDeliveriesMax, matchEmptyLevels: true });
  }

  on(filter: string, listener: Listener, done?: () => void): this {
    this.#listeners.set(filter, (this.#listeners.get(filter) ?? 0) + 1);
    this.#filters.set({ clientId: '', topic: filter, qos: 0 });
    this.#unheard.clear();
    this.#emitter.on(filter, listener, done);
    return this;
  }

  removeListener(filter: string, listener: Listener, done?: () => void): void {
    const left = (this.#listeners.get(filter) ?? 0) - 1;
    if (left > 0) this.#listeners.set(filter, left);
    else if (this.#listeners.delete(filter)) this.#filters.delete(filter, '');
    this.#emitter.removeListener(filter, listener, done);
  }

  emit(message: Message, done: (error?: Error) => void): this {
    if (this.#isUnheard(message.topic)) done();
    else this.#emitter.emit(message, done);
    return this;
  }

  close(done: () => void): void {
    this.#emitter.close(done);
  }

  #isUnheard(topic: string): boolean {
    if (this.#unheard.has(topic)) return true;
    if (this.#filters.match(topic).length > 0) return false;
    if (this.#unheard.size >= limits.routedTopicsMax) this.#unheard.clear();
    this.#unheard.add(topic);
    return true;
  }
}
