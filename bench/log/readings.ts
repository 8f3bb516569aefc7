import type { StampedRecord } from '../../src/core/record.ts';
import { SimRandom } from '../../test/support/sim-random.ts';

export const topic = 'readings';

const DEVICES = 64;
const START_MS = Date.UTC(2026, 4, 1);

/** An endless row of readings of some 149 bytes, as a JSON sensor sends them, spread evenly over the partitions. */
export class Readings {
  readonly #random = new SimRandom(1);
  readonly #partitions: number;
  readonly #perSecond: number;
  #count = 0;
  #payloadBytes = 0;

  /** @param perSecond how close their timestamps are. */
  constructor(partitions: number, perSecond: number) {
    this.#partitions = partitions;
    this.#perSecond = perSecond;
  }

  /** How many were made so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all values made so far: what the devices sent. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Bytes of a value. */
  get meanBytes(): number {
    return this.#payloadBytes / this.#count;
  }

  next(count: number): StampedRecord[] {
    return Array.from({ length: count }, () => this.#reading());
  }

  #reading(): StampedRecord {
    const at = this.#count;
    this.#count += 1;
    const device = `station-${String(at % DEVICES).padStart(2, '0')}`;
    const timestampMs = START_MS + Math.floor((at * 1000) / this.#perSecond);
    const value = Buffer.from(
      JSON.stringify({
        device,
        sequence: 1_000_000 + Math.floor(at / DEVICES),
        time: new Date(timestampMs).toISOString(),
        temperature: this.#around(71, 2),
        humidity: this.#around(40, 2),
        vibration: this.#around(3, 4),
        pressure: this.#around(4, 3),
      }),
    );
    this.#payloadBytes += value.length;
    return {
      topic,
      partition: at % this.#partitions,
      key: Buffer.from(device),
      value,
      timestampMs,
      headers: [],
    };
  }

  #around(mean: number, decimals: number): number {
    return Number((mean * (0.9 + 0.2 * this.#random.next())).toFixed(decimals));
  }
}
