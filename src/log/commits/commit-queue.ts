import type { Clock } from '../../core/clock.ts';
import { assert, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Appended, type Outcome, type Request, requestBytesMax } from './commit-plan.ts';

/** A request that waits for its commit. */
export interface Waiting {
  readonly request: Request;
  readonly bytes: number;
  /** Answers the caller. Only ever called when the outcome is durable, or a refusal. */
  settle(outcome: Outcome): void;
}

/**
 * Group commit: one commit in flight, what arrives meanwhile is the next one. Commits start at least
 * `intervalMs` apart; the first after a pause leaves at once.
 */
export class CommitQueue {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #commit: (waiting: readonly Waiting[]) => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #draining: Promise<void> | undefined;

  /** `commit` settles what it is given, or gives it back with {@link CommitQueue.putBack}; it never rejects. */
  constructor(clock: Clock, intervalMs: number, commit: (waiting: readonly Waiting[]) => Promise<void>) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#commit = commit;
  }

  /** @throws OperatingError (as a rejection) `log-overloaded`, or whatever the outcome refuses. */
  push(request: Request, bytes: number): Promise<readonly Appended[]> {
    assert(bytes <= requestBytesMax, 'a request fits into a commit');
    if (this.#waitingBytes + bytes > limits.pendingBytesMax) {
      const message = `${this.#waitingBytes} bytes already wait for the disk; offer the same records again later`;
      return Promise.reject(new OperatingError('log-overloaded', message));
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void =>
        'refused' in outcome ? reject(outcome.refused) : resolve(outcome.appended);
      this.#waiting.push({ request, bytes, settle });
      this.#waitingBytes += bytes;
      this.#draining ??= this.#drain();
    });
  }

  /** Puts what was not committed first in the queue again, in its order. */
  putBack(waiting: readonly Waiting[]): void {
    this.#waiting.unshift(...waiting);
    for (const { bytes } of waiting) this.#waitingBytes += bytes;
  }

  /** Refuses everything that waits. */
  refuseAll(refused: OperatingError): void {
    for (const waiting of this.#take(Number.POSITIVE_INFINITY)) waiting.settle({ refused });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // A source offers what it read at once in one turn; the turn ends before the first of it is committed.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const waitMs = this.#lastStartMs + this.#intervalMs - this.#clock.monotonicMs();
      if (waitMs > 0) await this.#clock.sleep(waitMs);
      this.#lastStartMs = this.#clock.monotonicMs();
      await this.#commit(this.#take(requestBytesMax));
    }
    this.#draining = undefined;
  }

  #take(bytesMax: number): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      if (bytes + waiting.bytes > bytesMax && count > 0) break;
      bytes += waiting.bytes;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}
