import type { Clock } from '../../../core/clock.ts';
import { messageOf } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { Metrics } from '../../../core/metrics.ts';
import type { SessionStore, StoreChanges } from './session-store.ts';

export interface WriteBehindOptions {
  readonly store: SessionStore;
  /** All that has changed since it was last called, or everything; as of this moment, and together with the log's ends. */
  readonly changes: (isWhole: boolean) => StoreChanges;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Writes what changes in memory to the store, one transaction after the other: at once where somebody waits for it,
 * otherwise at most once in `mqttStoreIntervalMs`, so that what comes and goes in between costs the card nothing.
 */
export class WriteBehind {
  readonly #options: WriteBehindOptions;
  readonly #stopped = new AbortController();
  #waiting: (() => void)[] = [];
  #isSyncWanted = false;
  #hasChanged = false;
  #isLazy = false;
  #writing: Promise<void> | null = null;
  #isWhole = false;
  /** While writing fails nobody waits for it: what is kept then is what memory has. */
  #retryMs = 0;
  #hasFailed = false;
  #lastSyncMs = 0;

  constructor(options: WriteBehindOptions) {
    this.#options = options;
  }

  /** Something has changed, and is to be written some time. */
  readonly changed = (): void => {
    this.#hasChanged = true;
    if (this.#isLazy || this.#stopped.signal.aborted) return;
    this.#isLazy = true;
    void this.#later();
  };

  /**
   * Resolves once all that has changed so far is written, so that it survives the end of the process; `isSynced`: a power
   * cut, too. While the store cannot be written, or takes too long, it resolves all the same: messages must go on.
   */
  async written({ isSynced } = { isSynced: false }): Promise<void> {
    const { clock } = this.#options;
    if (this.#stopped.signal.aborted || clock.monotonicMs() < this.#retryMs) return;
    this.#isSyncWanted ||= isSynced;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#write();
    await promise;
  }

  /** What is in the store counts no longer: the next write is the whole. */
  rewrite(): void {
    this.#isWhole = true;
  }

  /** Writes what is left, and ends. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    while (this.#writing !== null) await this.#writing;
    this.#isSyncWanted = true;
    await this.#writeInOwnTurn();
  }

  async #later(): Promise<void> {
    const { clock } = this.#options;
    const untilRetryMs = this.#retryMs - clock.monotonicMs();
    await clock.sleep(Math.max(limits.mqttStoreIntervalMs, untilRetryMs), this.#stopped.signal);
    this.#isLazy = false;
    if (!this.#stopped.signal.aborted) this.#write();
  }

  #write(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = null;
      // Who was answered may have asked again before this was heard of.
      if (this.#waiting.length > 0) this.#write();
    });
  }

  async #drain(): Promise<void> {
    do {
      await this.#writeInOwnTurn();
    } while (this.#waiting.length > 0);
  }

  /** In a turn of the event loop that begins now, all that is durable in the log has taken effect. And more goes together. */
  async #writeInOwnTurn(): Promise<void> {
    await this.#options.clock.sleep(0);
    await this.#writeOnce();
  }

  async #writeOnce(): Promise<void> {
    const { store, changes, clock, logger, metrics } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    const answer = (): void => {
      for (const resolve of waiting) resolve();
    };
    if (!this.#hasChanged && !this.#isWhole) return answer();
    const nowMs = clock.monotonicMs();
    const isSynced = this.#isSyncWanted || nowMs - this.#lastSyncMs >= limits.mqttStoreSyncIntervalMs;
    if (isSynced) this.#lastSyncMs = nowMs;
    this.#hasChanged = false;
    this.#isSyncWanted = false;
    const done = new AbortController();
    void clock.sleep(limits.mqttStoreAnswerMsMax, done.signal).then(answer);
    const changed = changes(this.#isWhole);
    try {
      await store.write(changed, isSynced);
      if (this.#hasFailed) logger.info({}, 'MQTT sessions can be written again');
      this.#isWhole = false;
      this.#hasFailed = false;
    } catch (error) {
      metrics.add('headwater_mqtt_store_failures_total', 1);
      if (!this.#hasFailed)
        logger.warn(
          { error: messageOf(error) },
          'MQTT sessions cannot be written: they go on in memory, and a restart would find them as they were; ' +
            'make room on the disk, or let this user write the data folder',
        );
      this.#hasFailed = true;
      this.#isWhole = true;
      this.#retryMs = clock.monotonicMs() + limits.mqttStoreRetryMs;
      if (!this.#stopped.signal.aborted) this.changed();
    }
    done.abort();
    answer();
  }
}
