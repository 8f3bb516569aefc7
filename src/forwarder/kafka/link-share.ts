import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import { type LaneName, laneNames } from '../../log/types.ts';
import { LinkWindow } from './link-window.ts';

/** What a lane may do on the link that it shares with the other one. */
export interface LinkShare {
  /** About what a request, and a batch in it, is to take at most, bytes. */
  readonly requestBytesMax: number;
  /** The lane has a transaction in hand, until {@link ended}. */
  began(): void;
  /** It has none any more, whatever became of it. */
  ended(): void;
  /** Makes a request of so many bytes of records once it may leave, one after the other in the order of the calls. */
  carry<Answer>(bytes: number, request: () => Promise<Answer>): Promise<Answer>;
  /** A request without records, for which brokers stored something, took so long. */
  roundTrip(ms: number): void;
  /** Lets go whoever waits: their requests are not wanted any more. What comes later is held back as before. */
  release(): void;
}

/**
 * The link, as both lanes share it. Alarms never wait for bulk: bulk begins no request while alarms have a transaction in
 * hand, though not for ever, and keeps little under way (`link-window.ts`). No more than so many bytes a second leave on
 * the average, both lanes together: each request may begin once those before it have had their time, and what was not
 * used before is lost (virtual scheduling, ITU-T I.371). What alarms take, bulk pays for.
 */
export class SharedLink {
  readonly #clock: Clock;
  #bytesPerSecond: number;
  readonly #window = new LinkWindow();
  /** When the average allows the next request. */
  readonly #freeAtMs = { alarm: 0, bulk: 0 };
  #alarmSinceMs: number | null = null;
  #wakeBulk: () => void = () => {};

  /** Without a rate nothing is held back for its sake. */
  constructor(clock: Clock, bytesPerSecond: number | null) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond ?? Number.POSITIVE_INFINITY;
  }

  /** Another rate counts from now on, also for what waits. */
  limitTo(bytesPerSecond: number | null): void {
    const [before, now] = [this.#bytesPerSecond, bytesPerSecond ?? Number.POSITIVE_INFINITY];
    this.#bytesPerSecond = now;
    for (const lane of laneNames) {
      const leftMs = this.#freeAtMs[lane] - this.#clock.monotonicMs();
      // Nothing is left to wait for without a rate.
      if (leftMs > 0) this.#freeAtMs[lane] += leftMs * (before / now - 1);
    }
    this.#wakeBulk();
  }

  /** The share of a lane; to be asked for once. */
  shareOf(lane: LaneName): LinkShare {
    return lane === 'alarm' ? this.#alarmShare() : this.#bulkShare();
  }

  #alarmShare(): LinkShare {
    const queue = new Queue();
    return {
      requestBytesMax: limits.produceRequestBytesMax,
      began: () => {
        this.#alarmSinceMs ??= this.#clock.monotonicMs();
      },
      ended: () => {
        this.#alarmSinceMs = null;
        this.#wakeBulk();
      },
      carry: async (bytes, request) => {
        await queue.next(async (signal) => {
          const waitMs = this.#freeAtMs.alarm - this.#clock.monotonicMs();
          if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
          if (signal.aborted) return;
          this.#took('alarm', bytes);
          this.#took('bulk', bytes);
        });
        return await request();
      },
      roundTrip: () => {},
      release: () => queue.release(),
    };
  }

  #bulkShare(): LinkShare {
    const queue = new Queue();
    const window = this.#window;
    return {
      get requestBytesMax(): number {
        return window.requestBytesMax;
      },
      began: () => {},
      ended: () => {},
      carry: async (bytes, request) => {
        await queue.next(async (signal) => {
          await this.#bulkMayLeave(signal);
          if (!signal.aborted) this.#took('bulk', bytes);
          window.began(bytes);
        });
        const beganMs = this.#clock.monotonicMs();
        try {
          const answer = await request();
          window.answered(bytes, beganMs, this.#clock.monotonicMs());
          return answer;
        } catch (error) {
          window.failed(bytes);
          throw error;
        } finally {
          this.#wakeBulk();
        }
      },
      roundTrip: (ms) => window.roundTrip(ms),
      release: () => queue.release(),
    };
  }

  async #bulkMayLeave(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = this.#clock.monotonicMs();
      const yieldedMs = this.#alarmSinceMs === null ? 0 : this.#alarmSinceMs + limits.alarmYieldMsMax;
      const waitMs = Math.max(this.#freeAtMs.bulk, yieldedMs) - nowMs;
      const isFull = !this.#window.mayBegin;
      if (waitMs <= 0 && !isFull) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeBulk = resolve;
      const woken = new AbortController();
      const letGo = (): void => resolve();
      signal.addEventListener('abort', letGo);
      await (isFull ? promise : Promise.race([promise, this.#clock.sleep(waitMs, woken.signal)]));
      woken.abort();
      signal.removeEventListener('abort', letGo);
    }
  }

  #took(lane: LaneName, bytes: number): void {
    const begunMs = Math.max(this.#freeAtMs[lane], this.#clock.monotonicMs());
    this.#freeAtMs[lane] = begunMs + (bytes / this.#bytesPerSecond) * 1000;
  }
}

/** One after the other. */
class Queue {
  #turn = Promise.resolve();
  #closing = new AbortController();

  next(wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    this.#turn = this.#turn.then(() => wait(signal));
    return this.#turn;
  }

  release(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
  }
}
