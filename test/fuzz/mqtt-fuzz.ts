import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { OperatingError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import type { Qos2Id, Qos2Log } from '../../src/core/qos2.ts';
import type { NewRecord } from '../../src/core/record.ts';
import { Harness, plainListener } from '../ingest/mqtt/harness.ts';
import { within } from '../support/gateway-process.ts';
import { SimRandom } from '../support/sim-random.ts';
import { type FuzzSession, fuzzSession } from './mqtt-sessions.ts';
import { UndisturbedClient } from './undisturbed-client.ts';

/** Far below the gateway's own limit, so that a place that is never given back shows as a refused connection. */
const SESSIONS_AT_ONCE = 24;
const SESSIONS_PER_ROUND = 250;
/** Everything the gateway has to do at once must have happened by then. */
const PATIENCE_MS = 15_000;
const POLL_MS = 5;
const QOS2_CLIENTS_MAX = 200;
const REFUSED_SHARE = 0.001;

/** A log that forgets records, takes its time for each, and sometimes refuses one, but none of the undisturbed client. */
class ForgetfulLog implements Qos2Log {
  readonly #ids = new Map<string, Set<number>>();
  random = new SimRandom(1);
  unanswered = 0;
  records = 0;

  readonly accept = ([record]: readonly NewRecord[]): Promise<void> => this.#commit(record);

  async appendOnce(record: NewRecord, { client, packetId }: Qos2Id): Promise<boolean> {
    await this.#commit(record);
    const ids = this.#ids.get(client) ?? new Set();
    // Who is silent longest comes first.
    this.#ids.delete(client);
    this.#ids.set(client, ids);
    const [silent] = this.#ids.keys();
    if (this.#ids.size > QOS2_CLIENTS_MAX && silent !== undefined) this.#ids.delete(silent);
    const isNew = !ids.has(packetId);
    ids.add(packetId);
    return isNew;
  }

  async release({ client, packetId }: Qos2Id): Promise<void> {
    await this.#commit();
    this.#ids.get(client)?.delete(packetId);
  }

  async releaseAll(client: string): Promise<void> {
    await this.#commit();
    this.#ids.delete(client);
  }

  openQos2Ids(client: string): ReadonlySet<number> {
    return this.#ids.get(client) ?? new Set();
  }

  async #commit(record?: NewRecord): Promise<void> {
    this.unanswered += 1;
    for (let turns = this.random.below(4); turns > 0; turns -= 1) await setImmediate();
    this.unanswered -= 1;
    if (record === undefined) return;
    const isSpared = UndisturbedClient.isOf(Buffer.from(record.key ?? []).toString());
    if (!isSpared && this.random.chance(REFUSED_SHARE))
      throw new OperatingError('log-overloaded', 'too much waits');
    this.records += 1;
  }
}

export interface FuzzTotals {
  readonly sessions: number;
  readonly packets: number;
  /** Of them, what became records, those of the undisturbed client included. */
  readonly records: number;
  /** Messages that the undisturbed client sent, and got back. */
  readonly undisturbed: number;
  readonly slowestMs: number;
  readonly rssMb: number;
}

/**
 * The real listeners, guards, broker and gate in this process, and clients that send anything, over real sockets; a well-behaved
 * client publishes and receives all the while.
 */
export class MqttFuzz implements AsyncDisposable {
  readonly #log: ForgetfulLog;
  readonly #harness: Harness;
  readonly #undisturbed: UndisturbedClient;
  #sessions = 0;
  #packets = 0;
  #rssMb = 0;

  private constructor(log: ForgetfulLog, harness: Harness, undisturbed: UndisturbedClient) {
    this.#log = log;
    this.#harness = harness;
    this.#undisturbed = undisturbed;
  }

  static async start(): Promise<MqttFuzz> {
    const log = new ForgetfulLog();
    const webSocket = { ...plainListener, kind: 'ws', setting: 'mqtt.ws' } as const;
    const harness = await Harness.start(log, { accept: log.accept, listeners: [plainListener, webSocket] });
    return new MqttFuzz(log, harness, await UndisturbedClient.connect(harness));
  }

  get totals(): FuzzTotals {
    const { sent, slowestMs } = this.#undisturbed;
    return {
      sessions: this.#sessions,
      packets: this.#packets,
      records: this.#log.records,
      undisturbed: sent,
      slowestMs: Math.round(slowestMs),
      rssMb: Math.round(this.#rssMb),
    };
  }

  /** Plays the sessions of a seed. What is wrong after them; empty if nothing. */
  async round(seed: number): Promise<readonly string[]> {
    this.#log.random = new SimRandom(seed);
    const sessions = fc.sample(fuzzSession, { seed, numRuns: SESSIONS_PER_ROUND });
    const wrong: string[] = [];
    this.#undisturbed.resume();
    const left = sessions.entries();
    const player = async (): Promise<void> => {
      for (const [index, session] of left) {
        const isOver = await within(
          PATIENCE_MS,
          this.#play(session).then(() => true),
        );
        if (isOver === undefined)
          wrong.push(`session ${index}, which ends by «${session.ending}», is not closed`);
      }
    };
    await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, player));
    wrong.push(...(await this.#undisturbed.pause(PATIENCE_MS)), ...(await this.#leftOver()));
    this.#sessions += sessions.length;
    this.#packets += sessions.reduce((sum, { packets }) => sum + packets, 0);
    this.#rssMb = Math.max(this.#rssMb, process.memoryUsage().rss / 1e6);
    // What the twins keep.
    this.#harness.access.attempts.length = 0;
    return wrong;
  }

  /** Ends everything. What is wrong then; empty if nothing. */
  async stop(): Promise<readonly string[]> {
    this.#undisturbed.end();
    const startedMs = performance.now();
    await this[Symbol.asyncDispose]();
    // Nothing is in flight, so there is nothing to wait for.
    const tookMs = performance.now() - startedMs;
    return tookMs < limits.mqttStopMs
      ? []
      : [`the stop took ${Math.round(tookMs)} ms: something is still in flight`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#harness[Symbol.asyncDispose]();
  }

  async #play({ kind, chunks, ending, readsLate }: FuzzSession): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#harness.port(kind), noDelay: true });
    socket.on('error', () => socket.destroy());
    const closed = happens(socket, 'close');
    await Promise.race([happens(socket, 'connect'), closed]);
    if (!readsLate) socket.resume();
    await write(socket, chunks, closed);
    if (ending === 'reset') socket.resetAndDestroy();
    if (ending === 'end') socket.end();
    socket.resume();
    await closed;
  }

  /** With only the undisturbed client connected, and nothing of it under way. */
  async #leftOver(): Promise<readonly string[]> {
    const harness = this.#harness;
    const endMs = performance.now() + PATIENCE_MS;
    const found = (): readonly string[] => {
      const counts = {
        'clients by TCP beside the undisturbed one': harness.connections('mqtt') - 1,
        'clients by WebSocket': harness.connections('ws'),
        'bytes pending': harness.metrics.value('headwater_mqtt_pending_bytes'),
        'records that the log has not answered': this.#log.unanswered,
      };
      return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
    };
    while (found().length > 0 && performance.now() < endMs)
      await within(POLL_MS, new Promise<never>(() => {}));
    const refused = harness.refusedConnections('too-many-connections');
    return [...found(), ...(refused === 0 ? [] : [`${refused} connections found no room`])];
  }
}

const happens = (socket: Socket, event: 'close' | 'connect' | 'drain'): Promise<void> =>
  new Promise((resolve) => socket.once(event, () => resolve()));

async function write(socket: Socket, chunks: readonly Buffer[], closed: Promise<unknown>): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed || socket.writableEnded) return;
    if (!socket.write(chunk)) await Promise.race([happens(socket, 'drain'), closed]);
    await setImmediate();
  }
}
