import type { Clock } from '../../src/core/clock.ts';
import { limits } from '../../src/core/limits.ts';
import type {
  CheckpointsRead,
  Failure,
  PartitionBatch,
  SessionRequest,
  Target,
} from '../../src/forwarder/cluster/target.ts';
import { requestsOf, roundsOf } from '../../src/forwarder/kafka/produce-requests.ts';
import type { SimCluster } from './sim-target.ts';

export interface SlowLinkOptions {
  readonly target: Target;
  readonly cluster: SimCluster;
  readonly clock: Clock;
  readonly bytesPerSecond: () => number;
  readonly roundTripMs: number;
  /** Whether it gives a transaction up in time, as `KafkaTarget` does; else the cluster ends it. */
  readonly givesUp: boolean;
}

/**
 * A cluster behind a slow link, in virtual time: one request after the other, each to be answered in time; and the
 * cluster ends a transaction that takes too long.
 */
export class SlowLink implements Target {
  readonly #options: SlowLinkOptions;
  #transactionalId = '';
  #begunMs = 0;
  /** Of each transaction that was begun: how long until it was committed; null if it was not. */
  readonly transactionsMs: (number | null)[] = [];

  constructor(options: SlowLinkOptions) {
    this.#options = options;
  }

  async open(session: SessionRequest): Promise<Failure | null> {
    this.#transactionalId = session.transactionalId;
    await this.#pass(3 * this.#options.roundTripMs);
    return this.#options.target.open(session);
  }

  async readCheckpoints(): Promise<CheckpointsRead> {
    await this.#pass(this.#options.roundTripMs);
    return this.#options.target.readCheckpoints();
  }

  async send(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    const { clock, bytesPerSecond, roundTripMs, givesUp, target } = this.#options;
    this.#begunMs = clock.monotonicMs();
    this.transactionsMs.push(null);
    for (const request of requestsOf(roundsOf(batches), this.batchBytesMax())) {
      if (givesUp && this.#ageMs >= limits.transactionSendMsMax) return { kind: 'slow', message: 'too slow' };
      const bytes = request.reduce((sum, { batch }) => sum + batch.bytes.length, 0);
      const ms = roundTripMs + Math.ceil((bytes / bytesPerSecond()) * 1000);
      await this.#pass(Math.min(ms, limits.kafkaRequestTimeoutMs));
      if (ms > limits.kafkaRequestTimeoutMs) return { kind: 'unreachable', message: 'no answer' };
    }
    const failure = await target.send(batches);
    this.#expire();
    return failure;
  }

  async commit(): Promise<Failure | null> {
    await this.#pass(this.#options.roundTripMs);
    this.#expire();
    const failure = await this.#options.target.commit();
    if (failure === null) this.transactionsMs[this.transactionsMs.length - 1] = this.#ageMs;
    return failure;
  }

  async abort(): Promise<Failure | null> {
    await this.#pass(this.#options.roundTripMs);
    return this.#options.target.abort();
  }

  batchBytesMax(): number {
    return limits.bulkRequestBytesMin;
  }

  linkBytesWritten(): number {
    return this.#options.target.linkBytesWritten();
  }

  linkBytesRead(): number {
    return this.#options.target.linkBytesRead();
  }

  close(): Promise<void> {
    return this.#options.target.close();
  }

  get #ageMs(): number {
    return this.#options.clock.monotonicMs() - this.#begunMs;
  }

  /** As the coordinator does it: the producer of what it aborts is fenced. */
  #expire(): void {
    if (this.#ageMs > limits.transactionTimeoutMs)
      this.#options.cluster.initProducerId(this.#transactionalId);
  }

  #pass(ms: number): Promise<void> {
    return this.#options.clock.sleep(ms);
  }
}
