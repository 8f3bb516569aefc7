/** How the batches of segments can be compressed, as Kafka names it. */
export const compressions = ['zstd', 'gzip', 'none'] as const;

export type Compression = (typeof compressions)[number];

/** The transactional streams to the cluster. What is in `alarm` goes first. */
export const laneNames = ['alarm', 'bulk'] as const;

export type LaneName = (typeof laneNames)[number];

/** What a topic asks of the log; what is left out follows the defaults. */
export interface TopicSettings {
  /** When records may go: above so many bytes in segments, after so long, or as soon as the cluster has them. */
  readonly retention?: { readonly bytes?: number; readonly ageMs?: number } | 'until-forwarded';
  /** Whether retention may also remove what the mirror has not sent yet; by default it waits for the mirror. */
  readonly dropUnforwarded?: boolean;
  readonly segmentBytes?: number;
  readonly compression?: Compression;
  /** 0 to 9; under a full disk budget, topics of a lower one lose their oldest records first. */
  readonly priority?: number;
  /** Which way its records go to the cluster; by default `bulk`. */
  readonly lane?: LaneName;
  /** In the cluster records go by their key to one of so many partitions; by default to the one which they have here. */
  readonly centralPartitions?: number;
}

/** A topic of the log. */
export interface TopicInfo {
  readonly name: string;
  readonly partitions: number;
  readonly settings: TopicSettings;
}

/** What the mirror has done with the log's records, as retention asks it. */
export interface Forwarding {
  /** Whether records of this topic are to be sent at all. */
  isMirrored(topic: string): boolean;
  /** The cluster has confirmed everything below this offset. */
  confirmedOffset(topic: string, partition: number): number;
  /** Between the confirmed offset and this one lies a transaction that may or may not have arrived; equal if none does. */
  undecidedOffset(topic: string, partition: number): number;
}

/** The rules by which the log removes records. */
export interface Retention {
  /** What the whole data folder may take on the disk. */
  readonly budgetBytes: number;
  readonly forwarding: Forwarding;
  /** What files of others in the data folder take at present that are not small. */
  readonly otherBytes?: () => number;
  /** Whether the wall clock is known to be right: until it is, nothing is removed because of its age. */
  isClockSet(): boolean;
}

/** How far a partition reaches, in Kafka's words. */
export interface PartitionInfo {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: number;
  /** Durable end: the offset of the next record that a reader will see. */
  readonly highWatermark: number;
}

/** Records in one Kafka record batch (magic 2), exactly as stored; but if it has become known what the clock was off, with right stamps. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The largest timestamp in the batch, milliseconds since 1970 UTC. */
  readonly maxTimestampMs: number;
  /** Whether it comes from a segment: large, compressed, and worth to be sent on as it is. */
  readonly sealed: boolean;
  readonly bytes: Uint8Array;
}

/** One life's stretch of a partition: from its first offset to the next life's, or to the end. */
export interface LifeStart {
  /** The random life id, 32 hex digits. */
  readonly life: string;
  readonly firstOffset: number;
}

/** Where a reader sees the log. Every method shows durable records only. */
export interface LogReader {
  /** 32 hex digits that name this data folder for ever. */
  readonly logId: string;
  topics(): readonly TopicInfo[];
  /** All partitions of all topics. */
  partitions(): readonly PartitionInfo[];
  /** Lives that hold records of the partition, oldest first. */
  lives(topic: string, partition: number): readonly LifeStart[];
  /**
   * Batches from the one that holds `offset` on, about `bytesMax` bytes of them but at least one; empty at the
   * high watermark. The first batch may begin before `offset`. Offsets missing between batches are lost (gaps).
   * @throws OperatingError `unknown-topic`, `illegal-partition`, `offset-out-of-range`
   */
  read(topic: string, partition: number, offset: number, bytesMax: number): Promise<readonly StoredBatch[]>;
  /**
   * Gives back the memory of what `read` returned, at once; nobody may look at those batches again. Nobody has to call it:
   * but somebody who reads gigabytes would leave much to the garbage collector, which comes late.
   */
  giveBack(batches: readonly StoredBatch[]): void;
  /** Calls back after each commit, with nothing: ask `partitions()` what is new. Returns how to stop that. */
  onCommit(listener: () => void): () => void;
}

/** Records that the loss ledger is to name, from the first offset to the one before `endOffset`. */
export interface LedgerRange {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  /** The cluster will not take them, or may get them a second time. */
  readonly reason: 'refused' | 'possible-duplicate';
  /** Why, in a word. */
  readonly cause: string;
}

/** Records with stamps that will be corrected once the clock is set: those that came since the machine was started. */
export interface Unsettled {
  /**
   * From which offset on records of a partition are such; null if none are.
   * @throws OperatingError `unknown-topic`, `illegal-partition`
   */
  from(topic: string, partition: number): number | null;
  /** Since when there have been some, or could have been, by the monotonic clock; null if there are none. */
  sinceMs(): number | null;
}

/** Small state that a reader keeps where the records are, each value under a key of its own; one without bytes forgets its key. */
export type Memos = ReadonlyMap<string, Uint8Array>;

/** The log as the mirror needs it: it keeps a little state of its own where the records are. */
export interface MirroredLog extends LogReader {
  readonly unsettled: Unsettled;
  /**
   * About how many bytes the records from `offset` on take as they are stored, without a look at the disk: an estimate where
   * the offset is within a segment, and for what is not sealed yet.
   * @throws OperatingError `unknown-topic`, `illegal-partition`
   */
  storedBytes(topic: string, partition: number, offset: number): number;
  /** What was saved last under each key, durable. */
  memos(): Memos;
  /**
   * Saves these values under their keys, all in one commit; one without bytes forgets its key. Resolves once they
   * are durable. The whole of them is to stay below a hundred kilobytes or so: each journal file begins with it.
   * @throws OperatingError `log-overloaded`, `log-unavailable`
   */
  saveMemos(memos: Memos): Promise<void>;
  /**
   * Enters these ranges in the loss ledger and saves the memos as `saveMemos` does, all in one commit. The records stay
   * in the log for as long as others.
   * @throws OperatingError `log-overloaded`, `log-unavailable`
   */
  enterInLedger(ranges: readonly LedgerRange[], memos: Memos): Promise<void>;
}

/** Counts of this run of a log, and how things are. */
export interface LogStats {
  readonly commits: number;
  /** Attempts to recover the journal that failed: the disk has answered, though not as it should. */
  readonly failedRecoveries: number;
  /** Whether a recovery of the journal is under way, and waits for the disk; between two attempts it is not. */
  readonly isRecovering: boolean;
  readonly journalFiles: number;
  /** What the data folder takes. */
  readonly usedBytes: number;
  /** The wall clock of the last commit; null before the first. */
  readonly lastCommitMs: number | null;
}
