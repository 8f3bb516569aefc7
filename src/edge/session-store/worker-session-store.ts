import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { SessionStore, StoreChanges, StoreContent } from '../../ingest/mqtt/sessions/session-store.ts';
import { nothingKept } from '../../ingest/mqtt/sessions/session-store.ts';
import { AskedThread } from '../asked-thread.ts';
import type { StoreAnswer, StoreRequest } from './store-protocol.ts';

const FILE = 'mqtt.sqlite';

/**
 * Keeps MQTT sessions in `mqtt.sqlite`, in a thread of its own: SQLite waits for the disk. The thread is started when
 * there is something to keep. A file that cannot be read is set aside as `mqtt.sqlite.damaged`.
 */
export class WorkerSessionStore implements SessionStore {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #thread: AskedThread<StoreRequest, StoreAnswer>;
  #last: Promise<unknown> = Promise.resolve();
  #bytes = 0;

  /** @param dataDir the data folder, absolute */
  constructor(dataDir: string, logger: Logger, metrics: Metrics) {
    this.#path = join(dataDir, FILE);
    const source = new URL('./session-worker.ts', import.meta.url);
    this.#thread = new AskedThread(source, { workerData: this.#path });
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** What its files take, as of the last answer. */
  get bytes(): number {
    return this.#bytes;
  }

  async load(): Promise<StoreContent> {
    if (!existsSync(this.#path)) return { ...nothingKept, positions: 'none' };
    try {
      const { content, damage } = await this.#ask({ kind: 'load' });
      if (damage !== null) this.#tell(damage, `it is kept as ${FILE}.damaged`);
      if (content !== undefined) return content;
    } catch (error) {
      this.#tell(String(error), 'remove it, or let this user read and write the data folder');
    }
    return { ...nothingKept, positions: 'lost' };
  }

  /** An empty file: a matter of microseconds, once for each data folder, while the thread would take long to start. */
  begin(): void {
    try {
      closeSync(openSync(this.#path, 'a'));
    } catch {
      // The first write meets the same, and tells it.
    }
  }

  async write(changes: StoreChanges, isSynced: boolean): Promise<void> {
    await this.#ask({ kind: 'write', changes, isSynced });
  }

  async close(): Promise<void> {
    if (!this.#thread.isRunning) return;
    await this.#ask({ kind: 'close' }).catch(() => {});
    await this.#thread.end();
  }

  #tell(damage: string, what: string): void {
    this.#logger.warn(
      { damage },
      `${FILE} cannot be read: MQTT sessions and what waited in them are lost, retained messages are looked for in the log; ${what}`,
    );
  }

  /** One request after the other: answers have no names. */
  #ask(request: StoreRequest): Promise<Exclude<StoreAnswer, { error: string }>> {
    const answer = this.#last.then(() => this.#askNow(request));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async #askNow(request: StoreRequest): Promise<Exclude<StoreAnswer, { error: string }>> {
    const answer = await this.#thread.ask(request).catch((error: unknown) => {
      throw new Error(`the thread that keeps MQTT sessions has ended: ${messageOf(error)}`);
    });
    if ('error' in answer) throw new Error(answer.error);
    this.#bytes = answer.bytes;
    this.#metrics.add('headwater_device_bytes_written_total', answer.deviceBytes, { kind: 'other' });
    return answer;
  }
}
