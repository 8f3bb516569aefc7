import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { answerTo, type Publish, type Release } from './packets.ts';

/** Makes something durable; rejects with an OperatingError if that is not possible now. */
export type Offer = () => Promise<void>;

export interface IntakeOptions {
  /** What makes a packet durable. Called in the order of arrival, once for each attempt. */
  readonly offerOf: (packet: Publish | Release, receivedMs: number) => Offer | Promise<Offer>;
  /** Sends answers to the broker. */
  readonly answer: (bytes: Buffer) => void;
  /** Something was answered, so that there is room again. */
  readonly onAnswered: () => void;
  /** The log refused, for the reason in words; the same is offered again. */
  readonly onRefused: (reason: string) => void;
  readonly clock: Clock;
}

interface Item {
  readonly packet: Publish | Release;
  readonly weight: number;
  readonly number: number;
  readonly receivedMs: number;
  isDurable: boolean;
}

/**
 * Brings what a broker sends on one connection into the log: each packet is offered as it arrives, without waiting for those
 * before it, and answered once it is durable, strictly in the order of arrival [MQTT-4.6.0]. What the log refuses is offered
 * again, in that order, until it is taken: until then nothing after it is answered.
 */
export class Intake {
  readonly #options: IntakeOptions;
  /** In the order of arrival. */
  readonly #unanswered: Item[] = [];
  /** Those that are not being offered, in the same order. */
  #waiting: Item[] = [];
  #refused: Item[] = [];
  #pendingBytes = 0;
  #offeredBytes = 0;
  #taken = 0;
  #isOffering = false;
  #isPausing = false;
  #isAnswering = false;
  #backoffMs: number = limits.mqttSourceOfferBackoffMsMin;
  readonly #closed = new AbortController();
  #idle: (() => void) | null = null;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** How many packets are not answered. */
  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** When the oldest of them was received, by the monotonic clock; null if there is none. */
  get oldestReceivedMs(): number | null {
    return this.#unanswered[0]?.receivedMs ?? null;
  }

  /** Whether so much is unanswered that the broker should be held back. */
  get isFull(): boolean {
    return this.#pendingBytes >= limits.mqttSourcePendingBytesMax;
  }

  /** Takes a packet. */
  take(packet: Publish | Release): void {
    const bytes = packet.kind === 'publish' ? packet.topic.length + packet.payload.length : 0;
    const weight = bytes + limits.mqttMessageOverheadBytes;
    const receivedMs = this.#options.clock.monotonicMs();
    const item = { packet, weight, number: this.#taken, receivedMs, isDurable: false };
    this.#taken += 1;
    this.#pendingBytes += weight;
    this.#unanswered.push(item);
    this.#waiting.push(item);
    void this.#offerWaiting();
  }

  /** Resolves once all is answered, or the connection is over. */
  async settled(): Promise<void> {
    if (this.#unanswered.length === 0 || this.#closed.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** The connection is over: the broker will send again what is not answered, so nothing more is offered. */
  close(): void {
    this.#closed.abort();
    this.#waiting = [];
    this.#refused = [];
    this.#idle?.();
  }

  async #offerWaiting(): Promise<void> {
    if (this.#isOffering) return;
    this.#isOffering = true;
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      const { packet, receivedMs } = item;
      this.#offeredBytes += item.weight;
      try {
        const offer = this.#options.offerOf(packet, receivedMs);
        // Not awaited without need: all of a chunk is to be in the same commit.
        const ready = offer instanceof Promise ? await offer : offer;
        if (this.#closed.signal.aborted) return;
        void this.#settle(item, ready);
      } catch (error) {
        this.#refuse(item, error);
      }
    }
    this.#isOffering = false;
  }

  /** The next packet to offer, unless it has to wait. */
  #next(): Item | undefined {
    const [item] = this.#waiting;
    if (item === undefined || this.#isPausing) return undefined;
    const isFull = this.#offeredBytes + item.weight > limits.mqttSourcePendingBytesMax;
    return isFull && this.#offeredBytes > 0 ? undefined : this.#waiting.shift();
  }

  async #settle(item: Item, offer: Offer): Promise<void> {
    try {
      await offer();
    } catch (error) {
      this.#refuse(item, error);
      return;
    }
    this.#offeredBytes -= item.weight;
    item.isDurable = true;
    this.#backoffMs = limits.mqttSourceOfferBackoffMsMin;
    if (!this.#isAnswering) {
      this.#isAnswering = true;
      // What became durable in the same commit is answered in one write.
      queueMicrotask(() => this.#answerDurable());
    }
  }

  #answerDurable(): void {
    this.#isAnswering = false;
    const answers: Buffer[] = [];
    for (let [item] = this.#unanswered; item?.isDurable === true; [item] = this.#unanswered) {
      this.#unanswered.shift();
      this.#pendingBytes -= item.weight;
      answers.push(answerTo(item.packet));
    }
    if (this.#closed.signal.aborted) return;
    const bytes = Buffer.concat(answers);
    if (bytes.length > 0) this.#options.answer(bytes);
    this.#options.onAnswered();
    if (this.#unanswered.length === 0) this.#idle?.();
    void this.#offerWaiting();
  }

  #refuse(item: Item, error: unknown): void {
    if (!isOperatingError(error)) throw error;
    this.#offeredBytes -= item.weight;
    if (this.#closed.signal.aborted) return;
    this.#refused.push(item);
    if (this.#isPausing) return;
    this.#isPausing = true;
    this.#options.onRefused(error.message);
    void this.#offerAgain();
  }

  async #offerAgain(): Promise<void> {
    await this.#options.clock.sleep(this.#backoffMs, this.#closed.signal);
    this.#backoffMs = Math.min(this.#backoffMs * 2, limits.mqttSourceOfferBackoffMsMax);
    this.#isPausing = false;
    this.#waiting = [...this.#refused, ...this.#waiting].sort((one, other) => one.number - other.number);
    this.#refused = [];
    await this.#offerWaiting();
  }
}
