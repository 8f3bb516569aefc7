import type { DiskFile } from '../../core/disk.ts';
import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Loss } from '../retention/loss-ledger.ts';
import { type Entry, encodeEntries } from '../state/entries.ts';
import type { LogState } from '../state/state.ts';
import { batchesOf, FileIndex, type PartitionBatch } from './file-index.ts';
import { buildFrame, encodeFrame } from './frame.ts';
import {
  countHeldFiles,
  countSealedFiles,
  createJournalFile,
  type JournalFile,
  type LogEnvironment,
  type OpenJournalFile,
} from './journal-files.ts';
import type { Spares } from './spares.ts';

/** A journal that may be served and committed to. */
export interface RecoveredJournal {
  readonly state: LogState;
  /** Oldest first; the last one is `open.file`. */
  readonly files: JournalFile[];
  readonly open: OpenJournalFile;
  /** The number of the last commit that counts. */
  readonly lastCommit: number;
  /** What was found to be lost, and is not in the ledger yet. */
  readonly losses: readonly Loss[];
}

/**
 * The append-only stream that makes records durable, from one recovery to the next. After a rejected `commit`
 * nothing of it may be used but `close`: the only way on is another recovery.
 */
export class Journal {
  readonly #env: LogEnvironment;
  readonly #spares: Spares;
  readonly #files: JournalFile[];
  readonly state: LogState;
  /** What the recovery found to be lost, and is not in the ledger yet. */
  readonly losses: readonly Loss[];
  #file: JournalFile;
  #handle: DiskFile;
  #position: number;
  #lastCommit: number;
  #recycling: Promise<void> = Promise.resolve();
  #closed = false;
  #hasFailed = false;
  #isRollWanted = false;
  /** A spare is becoming the next file. */
  #isRolling = false;

  constructor(env: LogEnvironment, spares: Spares, from: RecoveredJournal) {
    this.#env = env;
    this.#spares = spares;
    this.#files = from.files;
    this.state = from.state;
    this.losses = from.losses;
    this.#file = from.open.file;
    this.#handle = from.open.handle;
    this.#position = from.open.position;
    this.#lastCommit = from.lastCommit;
    spares.prepare();
  }

  get logId(): string {
    return this.#file.header.logId;
  }

  /** The life that this is, 32 hex digits. */
  get lifeId(): string {
    return this.#file.header.life.lifeId;
  }

  /** All files, oldest first. */
  get files(): readonly JournalFile[] {
    return this.#files;
  }

  /** False once a commit has failed, or after `close`: whether that commit counts is not known here. */
  get isUsable(): boolean {
    return !this.#hasFailed && !this.#closed;
  }

  /** What its files take, those in reserve included. */
  get sizeBytes(): number {
    const taken = this.#isRolling ? 1 : 0;
    return (this.#files.length + taken + this.#spares.count) * this.#env.fileBytes;
  }

  /** The number of the last durable commit. */
  get lastCommit(): number {
    return this.#lastCommit;
  }

  /** How many sealed files only wait for the next file to be begun. */
  get heldFiles(): number {
    return countHeldFiles(this.#files, this.state);
  }

  /** The next commit begins another file, although this one has room. */
  rollWithNextCommit(): void {
    this.#isRollWanted = true;
  }

  /**
   * Makes the entries durable in one frame, with one write and one sync, and applies them to the state. One call
   * at a time: that is why the existence of a frame proves that its predecessor was synced.
   */
  async commit(entries: readonly Entry[]): Promise<readonly PartitionBatch[]> {
    try {
      return await this.#commit(entries);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  async #commit(entries: readonly Entry[]): Promise<readonly PartitionBatch[]> {
    const { clock, metrics, version } = this.#env;
    const raw = encodeEntries(entries);
    const { life } = this.#file.header;
    const frame = buildFrame(this.#lastCommit + 1, life.ordinal, raw);
    let bytes = encodeFrame(frame, this.#file.header.salt);
    assert(bytes.length <= limits.frameBytesMax, 'the commit fits into a frame');
    if (this.#isRollWanted || this.#position + bytes.length > this.#env.fileBytes) {
      await this.#roll();
      bytes = encodeFrame(frame, this.#file.header.salt);
    }
    const startedMs = clock.monotonicMs();
    await this.#handle.writeAt(bytes, this.#position);
    await this.#handle.sync();
    metrics.observe('headwater_commit_seconds', (clock.monotonicMs() - startedMs) / 1000);
    metrics.add('headwater_commits_total', 1);
    metrics.add('headwater_commit_bytes_total', bytes.length);
    for (const entry of entries) this.state.apply(entry, life, version);
    const batches = batchesOf(raw);
    const place = { position: this.#position, sizeBytes: bytes.length, lifeOrdinal: life.ordinal };
    this.#file.index?.add(place, batches);
    this.#position += bytes.length;
    this.#lastCommit += 1;
    return batches;
  }

  /**
   * Lets the oldest files go, one after the other, whose records are all in segments. To be called again after an error.
   */
  async recycle(): Promise<void> {
    const recycling = this.#recycling.then(() => this.#recycleFiles());
    this.#recycling = recycling.catch(() => {});
    await recycling;
  }

  /** Closes the file. Nothing is written: everything that was acknowledged is durable already. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#recycling;
    await this.#spares.settle();
    await this.#handle.close();
  }

  async #recycleFiles(): Promise<void> {
    await this.#spares.removeLeft();
    for (let count = countSealedFiles(this.#files); count > 0 && !this.#closed; count -= 1) {
      const [oldest, successor] = this.#files;
      if (oldest === undefined || successor === undefined) return;
      oldest.isGone = true;
      this.#files.shift();
      // A file whose successor is of another life may have a failed write that the device still completes.
      const isClean = oldest.header.life.lifeId === successor.header.life.lifeId;
      await this.#spares.give(oldest.path, isClean);
    }
  }

  /** The next file of the same life. Nothing is copied: the last sync of this file has returned. */
  async #roll(): Promise<void> {
    this.#isRolling = true;
    const { header } = this.#file;
    const next = await createJournalFile(
      this.#env,
      await this.#spares.take(),
      {
        ...header,
        copiedLife: undefined,
        sequence: header.sequence + 1,
        salt: this.#env.random.bytes(8),
        firstCommit: this.#lastCommit + 1,
        createdWallMs: this.#env.clock.wallMs(),
        snapshot: this.state.snapshot(),
      },
      [],
    );
    await this.#handle.close();
    this.#file.endCommit = next.file.header.firstCommit;
    next.file.index = new FileIndex();
    this.#files.push(next.file);
    this.#isRolling = false;
    // Readers build the index of an old file again when they need it: memory does not grow with the log.
    const old = this.#files.at(-1 - limits.fileIndexesMax);
    if (old !== undefined) old.index = undefined;
    this.#isRollWanted = false;
    this.#file = next.file;
    this.#handle = next.handle;
    this.#position = next.position;
    this.#spares.prepare();
  }
}
