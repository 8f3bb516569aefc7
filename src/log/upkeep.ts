import { isOperatingError, isSystemError, messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Segment } from './catalog.ts';
import type { Entry } from './entries.ts';
import type { Journal } from './journal.ts';
import type { LogEnvironment } from './journal-files.ts';
import type { SealJob, SealResult } from './seal-job.ts';
import { planSeal, sealEntries } from './seal-plan.ts';
import type { Sealer } from './sealer.ts';
import { tidySegments } from './segment-folders.ts';
import type { LogState } from './state.ts';

/** What upkeep needs of the log. */
export interface UpkeepLog {
  /** The journal of the life that runs now. */
  readonly journal: Journal;
  /** Commits what `plan` says of the state just before that commit. Rejects if the log cannot. */
  commit(plan: (state: LogState) => readonly Entry[], bytes: number): Promise<void>;
}

/**
 * Keeps house beside the commits, one thing at a time: seals journal files into segments, lets sealed files go, and
 * removes what left the catalog. An error of the disk is told and tried again; nothing depends on when it succeeds.
 */
export class Upkeep {
  readonly #env: LogEnvironment;
  readonly #log: UpkeepLog;
  readonly #sealer: Sealer;
  readonly #stopping = new AbortController();
  /** The life that is tidied up for, and which segments it may append to, by partition. */
  #journal: Journal | undefined;
  #open = new Map<string, Segment>();
  #isWanted = false;
  #running: Promise<void> | undefined;

  constructor(env: LogEnvironment, log: UpkeepLog, sealer: Sealer) {
    this.#env = env;
    this.#log = log;
    this.#sealer = sealer;
  }

  /** Looks whether there is something to do, now or as soon as what is being done is done. */
  wake(): void {
    if (this.#stopping.signal.aborted) return;
    this.#isWanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is being done any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let backoffMs: number = limits.upkeepBackoffMsMin;
    while (this.#isWanted && !this.#stopping.signal.aborted) {
      this.#isWanted = false;
      try {
        await this.#pass();
        backoffMs = limits.upkeepBackoffMsMin;
      } catch (error) {
        if (this.#stopping.signal.aborted && isAbort(error)) break;
        if (!isSystemError(error) && !isOperatingError(error)) throw error;
        this.#open.clear();
        this.#isWanted = true;
        this.#env.logger.warn(
          { cause: messageOf(error) },
          'the disk refused to move records from the journal into segments; trying again, nothing is lost',
        );
        await this.#env.clock.sleep(backoffMs, this.#stopping.signal);
        backoffMs = Math.min(2 * backoffMs, limits.upkeepBackoffMsMax);
      }
    }
    this.#running = undefined;
  }

  async #pass(): Promise<void> {
    for (let more = true; more && !this.#stopping.signal.aborted; ) {
      const { journal } = this.#log;
      if (journal !== this.#journal) await this.#beginLife(journal);
      // What a failed commit said of the catalog is undecided until the recovery, which wakes this up again.
      if (!journal.isUsable) return;
      more = await this.#seal(journal);
      await this.#removeDropped(journal);
      this.#report(journal);
      if (journal === this.#log.journal) await journal.recycle();
    }
  }

  /** A segment belongs to one life: what another one may still write into it must not hit records of this one. */
  async #beginLife(journal: Journal): Promise<void> {
    this.#open.clear();
    await tidySegments(this.#env, journal.state);
    this.#journal = journal;
  }

  /** Returns whether something was sealed. */
  async #seal(journal: Journal): Promise<boolean> {
    const job = planSeal(journal.state, journal.files, this.#open);
    if (job === undefined) return false;
    const startedMs = this.#env.clock.monotonicMs();
    const result = await this.#sealer.seal(job, this.#stopping.signal);
    for (const lost of result.damage)
      this.#env.logger.error(
        { ...lost },
        'the medium damaged commits of the journal; their records are lost',
      );
    let isEntered = false;
    const segments = result.partitions.reduce((sum, one) => sum + one.segments.length, 0);
    await this.#log.commit(
      (state) => {
        // A recovery in between may have cut what was sealed: then it is sealed again.
        isEntered = journal === this.#log.journal;
        return isEntered ? sealEntries(state, job, result.partitions) : [];
      },
      limits.upkeepEntryBytesMax * (segments + job.partitions.length),
    );
    if (isEntered) this.#account(job, result, startedMs);
    return isEntered;
  }

  #account(job: SealJob, { partitions }: SealResult, startedMs: number): void {
    for (const { key, segments } of partitions) {
      const newest = segments.at(-1);
      if (newest === undefined) this.#open.delete(key);
      else this.#open.set(key, newest);
    }
    const { metrics, clock } = this.#env;
    metrics.add('headwater_sealed_journal_files_total', job.files.length);
    metrics.observe('headwater_seal_seconds', (clock.monotonicMs() - startedMs) / 1000);
  }

  #report({ state }: Journal): void {
    const segments = state.everyPartition().flatMap((partition) => partition.segments);
    const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#env.metrics.set('headwater_segments', segments.length);
    this.#env.metrics.set('headwater_segment_bytes', bytes);
  }

  async #removeDropped({ state }: Journal): Promise<void> {
    // What is not removed because of an error is found again by the next start.
    for (const path of state.takeDroppedPaths()) await this.#env.disk.remove(path);
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
