import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { Failure } from '../cluster/target.ts';
import { collectCommitted } from './committed-records.ts';
import { nextFetchBytes } from './fetch-size.ts';
import type { FetchedPartition } from './kafka-answers.ts';
import { check, Refusal } from './refusal.ts';

/** The very log that is read: another topic of that name, or the copy of another leader, may hold other records there. */
export interface CheckpointLog {
  readonly topic: string;
  readonly clusterId: string;
  readonly topicId: string;
  readonly leaderEpoch: number;
}

/** The broker that leads it. */
export interface CheckpointLeader {
  offset(topic: string, which: 'start' | 'end'): Promise<{ readonly code: number; readonly offset: number }>;
  fetchCommitted(log: CheckpointLog, offset: number, bytesMax: number): Promise<FetchedPartition>;
}

/** How far the log was read. */
interface Reading {
  readonly log: CheckpointLog;
  readonly keyPrefixes: readonly string[];
  readonly values: Map<string, Uint8Array>;
  nextOffset: number;
}

/**
 * Reads the checkpoint topic at the start of a session, in answers that come in time however slow the link is. When the link
 * breaks, the next session goes on where this one was: what was read is decided, and what compaction takes away of it later has
 * a successor further on.
 */
export class CheckpointReader {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** What a break left; null if there is nothing to go on with. */
  #reading: Reading | null = null;
  /** Of the topic, as the session found it; null before it has looked. */
  #end: number | null = null;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** A session begins, and with it another end counts. */
  begin(): void {
    this.#end = null;
  }

  /**
   * The newest committed value of every key with one of the prefixes: all up to the end that the session found at first, and
   * what is committed behind it by now. May be called again after it failed. @throws Refusal, LinkError
   */
  async read(
    log: CheckpointLog,
    keyPrefixes: readonly string[],
    toLeader: () => Promise<CheckpointLeader>,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const left = this.#reading;
    const reading =
      left !== null && isOf(left, log, keyPrefixes)
        ? left
        : { log, keyPrefixes, values: new Map(), nextOffset: await offsetOf(log, 'start', toLeader) };
    this.#reading = reading;
    // While it is hidden the other lane may go on: what lies behind this end is not waited for.
    const end = this.#end ?? (await offsetOf(log, 'end', toLeader));
    this.#end = end;
    let bytesMax: number = limits.checkpointFetchBytesMin;
    let committedEnd = 0;
    while (reading.nextOffset < Math.max(end, committedEnd))
      ({ bytesMax, committedEnd } = await this.#fetch(reading, bytesMax, toLeader));
    this.#reading = null;
    return reading.values;
  }

  /**
   * Returns how much the next one is to ask for, and how far there is something to read. The other lane may write on, and if what
   * it wrote before the end is superseded behind it, and compacted away before it is read, its key would seem to be lost.
   */
  async #fetch(
    reading: Reading,
    bytesMax: number,
    toLeader: () => Promise<CheckpointLeader>,
  ): Promise<{ readonly bytesMax: number; readonly committedEnd: number }> {
    const { log, keyPrefixes, values, nextOffset } = reading;
    // Each time anew: a long reading may outlast the login of a connection.
    const leader = await toLeader();
    const beganMs = this.#clock.monotonicMs();
    const fetched = await leader.fetchCommitted(log, nextOffset, bytesMax);
    // Only a broken link says nothing against what was read.
    if (fetched.code !== 0) this.#reading = null;
    check('read-checkpoints', fetched.code, log.topic);
    collectCommitted(values, fetched, keyPrefixes);
    const last = fetched.batches.at(-1);
    if (last === undefined || last.lastOffset < nextOffset)
      throw new Refusal(notReadable(log.topic, nextOffset, fetched));
    reading.nextOffset = last.lastOffset + 1;
    const elapsedMs = this.#clock.monotonicMs() - beganMs;
    return {
      bytesMax: nextFetchBytes(bytesMax, fetched.bytes, elapsedMs),
      committedEnd: fetched.lastStableOffset,
    };
  }
}

const isOf = (reading: Reading, log: CheckpointLog, keyPrefixes: readonly string[]): boolean =>
  JSON.stringify([reading.log, reading.keyPrefixes]) === JSON.stringify([log, keyPrefixes]);

/** Our own last transaction is complete, so below the end there is all that we ever committed. */
async function offsetOf(
  { topic }: CheckpointLog,
  which: 'start' | 'end',
  toLeader: () => Promise<CheckpointLeader>,
): Promise<number> {
  const { code, offset } = await (await toLeader()).offset(topic, which);
  check('read-checkpoints', code, topic);
  return offset;
}

function notReadable(topic: string, offset: number, { lastStableOffset }: FetchedPartition): Failure {
  if (offset < lastStableOffset) return { kind: 'busy', message: `topic ${topic} answered with nothing` };
  return {
    kind: 'hidden',
    message:
      `an open transaction, of another producer or of our other lane, hides topic ${topic} from offset ${offset} on; ` +
      "it ends with that producer's transaction timeout at the latest. If it does not, a broker has lost the end of a transaction: see " +
      'kafka-transactions.sh find-hanging, and abort it (which may lose or double that one transaction)',
  };
}
