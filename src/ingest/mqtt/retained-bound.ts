import { limits } from '../../core/limits.ts';

/** Knows how many bytes the broker retains, and what would be too many. */
export class RetainedBound {
  readonly #bytesByTopic = new Map<string, number>();
  #bytes = 0;

  /** Whether a message may be retained; if so it is counted. An empty payload takes the topic's message away. */
  take(topic: string, payloadBytes: number): boolean {
    const before = this.#bytesByTopic.get(topic) ?? 0;
    const after = payloadBytes === 0 ? 0 : topic.length + payloadBytes + limits.mqttPublishOverheadBytes;
    if (after > before && this.#bytes - before + after > limits.mqttRetainedBytesMax) return false;
    this.#bytes += after - before;
    if (after === 0) this.#bytesByTopic.delete(topic);
    else this.#bytesByTopic.set(topic, after);
    return true;
  }
}
