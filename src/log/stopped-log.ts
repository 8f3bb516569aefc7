import type { ReadableDisk } from '../core/disk.ts';
import { limits } from '../core/limits.ts';
import { corrected } from './clock/corrected.ts';
import { checkOffset, findPartition, partitionInfos } from './commits/placement.ts';
import { DiskReader, offsetForTime } from './disk-reader.ts';
import { type FoundJournalFiles, findJournalFiles, type ReadEnvironment } from './journal/journal-files.ts';
import { type Replayed, replayNewestFile } from './journal/replay.ts';
import type { LogState } from './state/state.ts';
import type { LifeStart, LogReader, PartitionInfo, StoredBatch, TopicInfo } from './types.ts';

/** The log of a data folder as the next start will find it. */
export interface StoredLog extends FoundJournalFiles, Pick<Replayed, 'state' | 'damage'> {
  readonly logId: string;
}

/**
 * Replays the journal as recovery does, and changes nothing. Undefined if no journal file has a whole header.
 * @throws OperatingError `unreadable-format` for a folder of a later version; other errors are the disk's own
 */
export async function readLogState(disk: ReadableDisk): Promise<StoredLog | undefined> {
  const found = await findJournalFiles(disk);
  const newest = found.files.at(-1);
  if (newest === undefined) return undefined;
  const { state, damage } = await replayNewestFile(disk, newest);
  return { ...found, state, damage, logId: newest.header.logId };
}

/**
 * The log of a data folder that no gateway works on. What it shows is what the last one made durable, and the commit
 * that was under way if it was killed: only the next start makes sure of that one. The caller holds the folder's lock.
 */
export class StoppedLog implements LogReader {
  readonly #log: StoredLog;
  readonly #reader: DiskReader;

  private constructor(log: StoredLog, env: ReadEnvironment) {
    this.#log = log;
    // The environment's logger tells of what is lost; a ledger is the gateway's to write.
    this.#reader = new DiskReader(env, () => {});
  }

  /**
   * Undefined if no journal file has a whole header.
   * @throws OperatingError `unreadable-format` for a folder of a later version; other errors are the disk's own
   */
  static async open(env: ReadEnvironment): Promise<StoppedLog | undefined> {
    const log = await readLogState(env.disk);
    return log && new StoppedLog(log, env);
  }

  get logId(): string {
    return this.#log.logId;
  }

  topics(): readonly TopicInfo[] {
    return this.#state.topics().map(({ name, partitions, settings }) => ({ name, partitions, settings }));
  }

  partitions(): readonly PartitionInfo[] {
    return partitionInfos(this.#state);
  }

  lives(topic: string, partition: number): readonly LifeStart[] {
    return this.#state.lives(findPartition(this.#state, topic, partition));
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const found = findPartition(this.#state, topic, partition);
    checkOffset(found, offset);
    if (offset === found.nextOffset) return [];
    const bytes = Math.min(bytesMax, limits.readBytesMax);
    const batches = await this.#reader.read(this.#log.files, found, offset, bytes);
    return corrected(this.#state.clockEpochs, found.id, batches);
  }

  giveBack(batches: readonly StoredBatch[]): void {
    this.#reader.giveBack(batches);
  }

  /**
   * The offset of the first record whose timestamp is at or after this one; the high watermark if there is none.
   * @throws OperatingError `unknown-topic`, `illegal-partition`
   */
  async offsetForTime(topic: string, partition: number, timestampMs: number): Promise<number> {
    return await offsetForTime(
      this.#state.clockEpochs,
      findPartition(this.#state, topic, partition),
      timestampMs,
      (offset) => this.read(topic, partition, offset, limits.timeSearchBytes),
    );
  }

  /** Never calls back: nobody commits. */
  onCommit(): () => void {
    return () => {};
  }

  get #state(): LogState {
    return this.#log.state;
  }
}
