import type { Clock } from '../../../core/clock.ts';
import { isOperatingError, isSystemError, messageOf } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { StoredRecord } from '../../../core/record.ts';
import type { Message } from '../record.ts';
import { mqttTopicHeader } from '../routes/routing.ts';
import { type Effects, effectsOf } from './effects.ts';
import type { Positions, StoreContent } from './session-store.ts';

/** The partitions of the log that MQTT may write to, as they can be read back. Each has a name. */
export interface History {
  /** The durable end of each. */
  ends(): Positions;
  /** An offset from which on a partition holds about so many bytes as stored, at most; the log start if it holds less. */
  farBack(partition: string, bytesMax: number): number;
  /** Records of a partition from an offset on to the end as it is now, in order; what is gone is passed over. */
  read(partition: string, from: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>;
}

export interface CatchUpOptions {
  readonly history: History;
  /** A record that was durable has not had its effects yet. */
  readonly happened: (message: Message, effects: Effects) => void;
  /** A record that was retained when it came, at this QoS. */
  readonly rebuilt: (message: Message, qos: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes good what became durable after the store was last written, from the log. */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #stopped = new AbortController();
  #rebuilding: Promise<void> = Promise.resolve();
  #isDone = false;
  /** Topics that were retained for while others are rebuilt: what comes now is newer than what is found. */
  readonly #newer = new Set<string>();

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** Whether all that is durable has had its effects. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Resolves once clients may come. Where nothing is known of what was done, because the store was lost, retained messages
   * are looked for in the newest part of the log, and clients wait for that for a moment only.
   */
  async run(positions: StoreContent['positions']): Promise<void> {
    const { clock } = this.#options;
    if (positions === 'lost') {
      this.#rebuilding = this.#rebuild();
      const waited = clock.sleep(limits.mqttRebuildWaitMsMax, this.#stopped.signal);
      await Promise.race([this.#rebuilding, waited]);
      return;
    }
    if (positions !== 'none') await this.#makeAllGood(positions);
    this.#isDone = true;
  }

  /** A message is retained now. */
  retainedNow(topic: string): void {
    if (!this.#isDone) this.#newer.add(topic);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#rebuilding;
  }

  async #makeAllGood(positions: Positions): Promise<void> {
    const { history, logger, happened } = this.#options;
    let made = 0;
    for (const [partition, end] of Object.entries(history.ends())) {
      // One that is not named was made later.
      const position = Math.min(positions[partition] ?? 0, end);
      const from = Math.max(position, history.farBack(partition, limits.mqttCatchUpBytesMax));
      if (from > position)
        logger.warn(
          { partition, records: from - position },
          'MQTT sessions were written too long ago: so many records were not looked at for what waits in sessions or is retained',
        );
      await this.#read(partition, from, ({ message, effects }) => {
        happened(message, effects);
        made += 1;
      });
    }
    if (made > 0)
      logger.info({ messages: made }, 'made good from the log what MQTT sessions had not kept yet');
  }

  async #rebuild(): Promise<void> {
    const { history, logger, rebuilt } = this.#options;
    const { signal } = this.#stopped;
    let found = 0;
    const partitions = Object.keys(history.ends());
    for (const partition of partitions) {
      const from = history.farBack(partition, limits.mqttRebuildBytesMax / partitions.length);
      await this.#read(partition, from, ({ message, effects }) => {
        if (effects.retain === null || this.#newer.has(message.topic)) return;
        rebuilt(message, effects.retain);
        found += 1;
      });
    }
    if (signal.aborted) return;
    this.#isDone = true;
    this.#newer.clear();
    logger.info({ messages: found }, 'retained messages were rebuilt from the log');
  }

  /** What cannot be read does not keep the gateway from starting. */
  async #read(partition: string, from: number, visit: (record: WithEffects) => void): Promise<void> {
    const { history, logger } = this.#options;
    try {
      for await (const records of history.read(partition, from, this.#stopped.signal))
        for (const record of records.flatMap(withEffects)) visit(record);
    } catch (error) {
      if (!isOperatingError(error) && !isSystemError(error)) throw error;
      logger.warn(
        { partition, from, error: messageOf(error) },
        'the log cannot be read: what waits in MQTT sessions or is retained may be incomplete',
      );
    }
  }
}

interface WithEffects {
  readonly message: Message;
  readonly effects: Effects;
}

/** A record that has effects, as the message that it was. */
function withEffects({ key, value, headers }: StoredRecord): WithEffects[] {
  const effects = effectsOf(headers);
  if (key === null || (effects.retain === null && effects.queue === null)) return [];
  const topic = Buffer.from(headers.find(({ name }) => name === mqttTopicHeader)?.value ?? key).toString();
  return [{ message: { topic, payload: value ?? new Uint8Array() }, effects }];
}
