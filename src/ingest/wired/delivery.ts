import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Accept, ReceivedRecord } from '../../core/record.ts';
import { PendingRecords } from './pending-records.ts';
import type { Dropped } from './summary-letter.ts';

export interface DeliveryOptions {
  readonly accept: Accept;
  readonly clock: Clock;
  /** Makes the record that tells of dropped ones. */
  readonly droppedLetterOf: (dropped: Dropped) => ReceivedRecord;
  /** So many records became durable. */
  readonly onStored: (count: number) => void;
  /** The log refused, for the reason in words; the same records are offered again. */
  readonly onRefused: (reason: string) => void;
}

/**
 * Brings the records of one port into the log, in order: one append at a time, repeated until the log takes it. (An
 * append whose outcome got lost may so be stored twice, as a reading that a device sends again.)
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #pending: PendingRecords;
  readonly #stopped = new AbortController();
  #running: Promise<void> | null = null;
  #isRefused = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#pending = new PendingRecords(options.droppedLetterOf);
  }

  /**
   * Whether so much waits for a log that has not said no that the port should hold back. A log that refuses is no
   * reason: it can take long, and a port that is not read loses its bytes anyway.
   */
  get isCongested(): boolean {
    return !this.#isRefused && this.#pending.bytes >= limits.serialPauseBytes;
  }

  /** Takes records; gives how many older ones had to be dropped for them. */
  push(records: readonly ReceivedRecord[]): number {
    const dropped = records.reduce((sum, record) => sum + this.#pending.push(record), 0);
    this.#running ??= this.#run();
    return dropped;
  }

  /** Offers what waits once more, for `limits.serialStopMs` at most; resolves with how many records were left. */
  async stop(): Promise<number> {
    this.#stopped.abort();
    const timer = new AbortController();
    await Promise.race([this.#running, this.#options.clock.sleep(limits.serialStopMs, timer.signal)]);
    timer.abort();
    return this.#pending.count;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    await Promise.resolve(); // so that it cannot end before `#running` is set
    let backoffMs: number = limits.serialOfferBackoffMsMin;
    for (let records = this.#pending.offer(); records.length > 0; records = this.#pending.offer()) {
      const refusal = await this.#refusalOf(records);
      this.#isRefused = refusal !== null;
      if (refusal === null) {
        this.#pending.stored();
        this.#options.onStored(records.length);
        backoffMs = limits.serialOfferBackoffMsMin;
      } else {
        this.#pending.refused();
        this.#options.onRefused(refusal);
        if (signal.aborted) break;
        await this.#options.clock.sleep(backoffMs, signal);
        backoffMs = Math.min(backoffMs * 2, limits.serialOfferBackoffMsMax);
      }
    }
    this.#running = null;
  }

  /** Null once they are durable. */
  async #refusalOf(records: readonly ReceivedRecord[]): Promise<string | null> {
    try {
      await this.#options.accept(records);
      return null;
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      return error.message;
    }
  }
}
