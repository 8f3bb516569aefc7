import type { Clock } from '../../core/clock.ts';
import { probeKey } from '../cluster/names.ts';
import { buildBatch } from '../cluster/outgoing-batch.ts';
import type { CheckpointsRead, Failure, PartitionBatch, SessionRequest, Target } from '../cluster/target.ts';
import { roundsOf } from './produce-requests.ts';

/** A cluster as it is written to without transactions; a method makes one attempt. */
export interface PlainCluster {
  /** As `open` of {@link Target}, but no other session is ended by it. */
  prepare(session: SessionRequest): Promise<Failure | null>;
  readCheckpoints(): Promise<CheckpointsRead>;
  /**
   * Appends at most one batch to each partition; what is taken is on all replicas in sync. After a failure some of it may
   * have been taken; `unreachable`: or may be taken later.
   */
  append(batches: readonly PartitionBatch[]): Promise<Failure | null>;
  batchBytesMax(): number;
  linkBytesWritten(): number;
  linkBytesRead(): number;
  close(): Promise<void>;
}

/**
 * A cluster without transactions as the mirror sees it. A checkpoint is written once all that it tells of is
 * acknowledged, so it never leads: what was not checkpointed is sent again, and may then be there twice.
 */
export class AtLeastOnceTarget implements Target {
  readonly #cluster: PlainCluster;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #checkpointTopic = '';
  /** Of what was sent since the last commit. */
  #checkpoints: readonly PartitionBatch[] = [];

  constructor(cluster: PlainCluster, clock: Pick<Clock, 'wallMs'>) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  open(session: SessionRequest): Promise<Failure | null> {
    this.#checkpointTopic = session.checkpointTopic;
    return this.#cluster.prepare(session);
  }

  readCheckpoints(): Promise<CheckpointsRead> {
    return this.#cluster.readCheckpoints();
  }

  async send(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    this.#checkpoints = batches.filter(({ source }) => source === null);
    // One after the other: with no sequences, a batch that follows a refused one would be taken, and pass it for ever.
    for (const round of roundsOf(batches.filter(({ source }) => source !== null))) {
      const failure = await this.#cluster.append(round);
      if (failure !== null) return failure.objections === undefined ? failure : await this.#probed(failure);
    }
    return null;
  }

  commit(): Promise<Failure | null> {
    return this.#cluster.append(this.#checkpoints);
  }

  /** What was taken stays. */
  abort(): Promise<Failure | null> {
    return Promise.resolve(null);
  }

  batchBytesMax(): number {
    return this.#cluster.batchBytesMax();
  }

  linkBytesWritten(): number {
    return this.#cluster.linkBytesWritten();
  }

  linkBytesRead(): number {
    return this.#cluster.linkBytesRead();
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  /** Objections count only if a record of the same clock is taken at the same time, and a checkpoint must not be it. */
  async #probed(failure: Failure): Promise<Failure> {
    const now = { key: Buffer.from(probeKey), value: null, timestampMs: this.#clock.wallMs(), headers: [] };
    const probe = {
      topic: this.#checkpointTopic,
      partition: 0,
      batch: await buildBatch([now]),
      source: null,
    };
    return (await this.#cluster.append([probe])) ?? failure;
  }
}
