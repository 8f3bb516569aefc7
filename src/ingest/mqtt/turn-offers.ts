import { limits } from '../../core/limits.ts';
import { type Accept, type NewRecord, payloadBytes } from '../../core/record.ts';

/** Told what became of a record: null once it is durable, else what the log said. */
export type Offered = (error: unknown) => void;

/**
 * Collects the records of one turn of the event loop, and offers them to the log in one request: a device that sends many
 * messages at once costs the log one.
 */
export class TurnOffers {
  readonly #accept: Accept;
  /** Whether an error concerns a single record, for which nothing of its request is stored. */
  readonly #isOfOne: (error: unknown) => boolean;
  #records: NewRecord[] = [];
  #told: Offered[] = [];
  #bytes = 0;

  constructor(accept: Accept, isOfOne: (error: unknown) => boolean) {
    this.#accept = accept;
    this.#isOfOne = isOfOne;
  }

  /** Offers a record with this turn; `offered` is called in the order of the records. */
  add(record: NewRecord, offered: Offered): void {
    const bytes = payloadBytes(record) + limits.mqttMessageOverheadBytes;
    if (this.#bytes + bytes > limits.mqttOfferBytesMax) this.flush();
    if (this.#records.length === 0) queueMicrotask(() => this.flush());
    this.#records.push(record);
    this.#told.push(offered);
    this.#bytes += bytes;
  }

  /** Offers at once what there is, so that what is offered otherwise comes after it. */
  flush(): void {
    if (this.#records.length === 0) return;
    const records = this.#records;
    const told = this.#told;
    this.#records = [];
    this.#told = [];
    this.#bytes = 0;
    void this.#offer(records, told);
  }

  async #offer(records: readonly NewRecord[], told: readonly Offered[]): Promise<void> {
    const error = await this.#accept(records).then(() => null, caught);
    if (records.length === 1 || !this.#isOfOne(error)) {
      for (const offered of told) offered(error);
      return;
    }
    // The others must not suffer for it.
    await Promise.all(records.map((record, at) => this.#offer([record], told.slice(at, at + 1))));
  }
}

/** As a value that is not null, whatever was thrown. */
const caught = (error: unknown): unknown => error ?? new Error('rejected without an error');
