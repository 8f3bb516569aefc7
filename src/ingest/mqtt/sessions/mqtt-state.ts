import type { Clock } from '../../../core/clock.ts';
import { limits } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import { countFromZero, type Metrics } from '../../../core/metrics.ts';
import type { MqttLimits } from '../mqtt-limits.ts';
import type { Message } from '../record.ts';
import { CatchUp, type History } from './catch-up.ts';
import { type Effects, noEffects } from './effects.ts';
import { Retained } from './retained.ts';
import type { Positions, SessionStore, StoreChanges, StoreContent, StoredWill } from './session-store.ts';
import { type SessionLoss, Sessions, sessionLosses } from './sessions.ts';
import { Wills } from './wills.ts';
import { WriteBehind } from './write-behind.ts';

export interface MqttStateOptions {
  readonly limits: Pick<MqttLimits, 'sessionQueuedMax'>;
  readonly store: SessionStore;
  readonly history: History;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Tells what clients can cause as often as they like. */
  readonly remark: (topic: string, fields: object, message: string) => void;
}

/** How much the broker keeps, as the status tells it. */
export interface KeptStatus {
  /** Sessions that outlast their connections. */
  readonly sessions: number;
  /** Messages in them that subscribers have not acknowledged yet, or not come for. */
  readonly queued: number;
  readonly retained: number;
}

const warnings: Readonly<Record<SessionLoss, string>> = {
  'queue-full':
    'too much waits for this client: further messages are in the log, but are not sent to it when it comes back',
  'session-given-up': 'too many sessions: that of the client which has been away longest is given up',
  'session-expired': 'the client has been away for too long: its session is given up',
};

/**
 * What the broker keeps beside the log: sessions with what waits in them, retained messages, and wills. All of it is in
 * memory, and written to the store behind it together with how far the log had come: what became durable after that is
 * made good from the log at the next start. So nothing has to be written before a device is answered.
 */
export class MqttState {
  readonly sessions: Sessions;
  readonly retained: Retained;
  readonly wills: Wills;
  readonly writes: WriteBehind;
  readonly #options: MqttStateOptions;
  readonly #catchUp: CatchUp;
  /** Clients of whom it was said that too much waits for them, until they come back. */
  readonly #told = new Set<string>();
  #ends: Positions = {};
  /** Whether anything was ever kept: then a start after a crash looks for what is missing in the log. */
  #hasBegun = false;
  /** Wills of an earlier run whose clients have not come back yet. */
  leftWills: readonly StoredWill[] = [];

  private constructor(options: MqttStateOptions) {
    this.#options = options;
    const changed = (): void => {
      this.#begin();
      this.writes.changed();
    };
    const lost = [...sessionLosses, 'retained', 'will'];
    countFromZero(options.metrics, 'headwater_mqtt_given_up_total', 'what', lost);
    const { sessionQueuedMax } = options.limits;
    this.sessions = new Sessions({
      sessionQueuedMax,
      onChange: changed,
      onLoss: (loss, client) => this.#lost(loss, client),
    });
    this.retained = new Retained(changed);
    this.wills = new Wills(changed);
    this.writes = new WriteBehind({ ...options, changes: (isWhole) => this.#changes(isWhole) });
    this.#catchUp = new CatchUp({
      ...options,
      happened: (message, effects) => void this.happened(message, effects),
      rebuilt: (message, qos) => void this.#retain(message, qos),
    });
  }

  /** Takes up what was kept, and what became durable since. Resolves once clients may come. */
  static async open(options: MqttStateOptions): Promise<MqttState> {
    const state = new MqttState(options);
    const content = await options.store.load();
    await state.#restore(content);
    return state;
  }

  /** What a message is going to do once it is durable. */
  effectsOf(topic: string, qos: number, retain: boolean): Effects {
    const queue = qos > 0 && this.sessions.isAwaited(topic) ? qos : null;
    if (queue === null && !retain) return noEffects;
    if (retain) this.#begin();
    return { retain: retain ? qos : null, queue };
  }

  /**
   * A message has become durable. To be called in the turn of the event loop in which the log says so: what is written
   * later counts everything before the log's end as done. False if it could not be retained.
   */
  happened(message: Message, { retain, queue }: Effects): boolean {
    if (queue !== null) this.sessions.enqueue(message, queue);
    if (retain === null) return true;
    this.#catchUp.retainedNow(message.topic);
    return this.#retain(message, retain);
  }

  /** The will of a client that has just connected is to survive the end of this process. */
  keepWill(will: StoredWill): void {
    if (!this.wills.set(will))
      this.#options.metrics.add('headwater_mqtt_given_up_total', 1, { what: 'will' });
  }

  /** A client has gone. */
  left(client: string, connection: object): void {
    this.sessions.left(client, connection);
    this.#told.delete(client);
  }

  /** Time has passed. */
  sweep(elapsedMs: number): void {
    this.sessions.age(elapsedMs);
    this.report();
    if (this.#hasBegun && this.#recordsSinceWritten() > limits.mqttCatchUpRecordsMax) this.writes.changed();
  }

  status(): KeptStatus {
    const { sessions, queued } = this.sessions.counts;
    return { sessions, queued, retained: this.retained.count };
  }

  report(): void {
    const { metrics } = this.#options;
    const { sessions, queued, retained } = this.status();
    metrics.set('headwater_mqtt_sessions', sessions);
    metrics.set('headwater_mqtt_queued', queued);
    metrics.set('headwater_mqtt_retained', retained);
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    await this.#catchUp.stop();
    if (this.#hasBegun) this.writes.changed();
    await this.writes.stop();
    await this.#options.store.close();
  }

  async #restore(content: StoreContent): Promise<void> {
    this.sessions.restore(content);
    this.retained.restore(content.retained);
    this.wills.restore(content.wills);
    this.leftWills = content.wills;
    // What could not be read may still be there, if it could not be set aside either.
    if (content.positions === 'lost') this.writes.rewrite();
    this.#hasBegun = content.positions !== 'none';
    await this.#catchUp.run(content.positions);
    this.#ends = this.#options.history.ends();
    this.report();
  }

  #changes(isWhole: boolean): StoreChanges {
    this.#ends = this.#options.history.ends();
    return {
      isWhole,
      ...this.sessions.changes(isWhole),
      retained: this.retained.changes(isWhole),
      wills: this.wills.changes(isWhole),
      positions: this.#catchUp.isDone ? this.#ends : null,
    };
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#options.store.begin();
  }

  #retain({ topic, payload }: Message, qos: number): boolean {
    const isRetained = this.retained.set({ ...retainedBase, topic, payload, qos });
    if (!isRetained) this.#options.metrics.add('headwater_mqtt_given_up_total', 1, { what: 'retained' });
    return isRetained;
  }

  #recordsSinceWritten(): number {
    const ends = Object.entries(this.#options.history.ends());
    return ends.reduce((sum, [partition, end]) => sum + end - (this.#ends[partition] ?? 0), 0);
  }

  #lost(loss: SessionLoss, client: string): void {
    const { remark, metrics } = this.#options;
    metrics.add('headwater_mqtt_given_up_total', 1, { what: loss });
    if (loss === 'queue-full' && this.#told.has(client)) return;
    if (loss === 'queue-full') this.#told.add(client);
    remark(loss, { client }, warnings[loss]);
  }
}

const retainedBase = { cmd: 'publish', retain: true } as const;
