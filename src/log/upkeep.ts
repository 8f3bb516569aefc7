import { isOperatingError, isSystemError, messageOf, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { countFromZero } from '../core/metrics.ts';
import { gapsTopicName } from '../core/topic-name.ts';
import { type ToldLog, tellClock } from './clock/clock-teller.ts';
import type { Journal } from './journal/journal.ts';
import { type LogEnvironment, quarantinedBytes } from './journal/journal-files.ts';
import { bytesToFree, type DiskUsage, hasRoom, usedBytes } from './retention/disk-budget.ts';
import { gapRecord, type Loss, lossReasons } from './retention/loss-ledger.ts';
import { lostWith, planBudget, planRetention, type Removal } from './retention/retention.ts';
import type { SealJob, SealResult } from './segments/seal-job.ts';
import { countUnsealed, planSeal, sealEntries } from './segments/seal-plan.ts';
import type { Sealer } from './segments/sealer.ts';
import { tidySegments } from './segments/segment-folders.ts';
import type { Segment } from './state/catalog.ts';
import { checkpointEntry, type Entry, logStartMoveEntry, type Memo, memoBytes } from './state/entries.ts';
import { sayAgain } from './state/say-again.ts';
import type { LogState } from './state/state.ts';
import type { LedgerRange, Retention } from './types.ts';

/** What upkeep needs of the log. */
export interface UpkeepLog extends ToldLog {
  /** The journal of the life that runs now. */
  readonly journal: Journal;
}

/**
 * Keeps house beside the commits, one thing at a time: seals journal files into segments, lets sealed files go, removes
 * what retention and the disk budget say, enters what is lost in the ledger, and tells how the clock was set. An error of the disk is told and tried
 * again; nothing depends on when it succeeds.
 */
export class Upkeep {
  readonly #env: LogEnvironment;
  readonly #log: UpkeepLog;
  readonly #sealer: Sealer;
  readonly #stopping = new AbortController();
  /** Without rules nothing is removed. */
  readonly #retention: Retention | undefined;
  /** The life that is tidied up for, and which segments it may append to, by partition. */
  #journal: Journal | undefined;
  #open = new Map<string, Segment>();
  /** What the sealing under way may still write. */
  #sealingBytes = 0;
  #quarantineBytes = 0;
  /** Found by readers, and to be entered in the ledger. */
  readonly #losses: Loss[] = [];
  #isWanted = false;
  #running: Promise<void> | undefined;

  constructor(env: LogEnvironment, log: UpkeepLog, sealer: Sealer, retention: Retention | undefined) {
    this.#env = env;
    this.#log = log;
    this.#sealer = sealer;
    this.#retention = retention;
    countFromZero(env.metrics, 'headwater_records_lost_total', 'reason', lossReasons);
  }

  /** Looks whether there is something to do, now or as soon as what is being done is done. */
  wake(): void {
    if (this.#stopping.signal.aborted) return;
    this.#isWanted = true;
    this.#running ??= this.#run();
  }

  /** Enters a loss in the ledger, soon. */
  noteLoss(loss: Loss): void {
    if (this.#losses.length < limits.notedLossesMax) this.#losses.push(loss);
    this.wake();
  }

  /** Enters in the ledger what the mirror has to tell, and saves the memos in the same commit. */
  async enterInLedger(losses: readonly LedgerRange[], memos: readonly Memo[]): Promise<void> {
    const plan = () => ({ entries: memos.map(checkpointEntry), losses });
    await this.#commitWithLosses(losses.length, plan, memoBytes(memos));
  }

  /** What the data folder takes, bytes; what sealing may be writing counts as written. */
  get usedBytes(): number {
    return usedBytes(this.#usage());
  }

  /** Whether the disk budget has room for further records. */
  get hasRoom(): boolean {
    return hasRoom(this.#usage(), this.#budgetBytes, this.#env.fileBytes);
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
          'sealing and removing of records were interrupted: it is tried again, and nothing is lost by that; ' +
            'if it goes on, make room on the disk or replace it',
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
      const { clock, readClock } = this.#env;
      if (readClock !== undefined) await tellClock(this.#log, clock, readClock);
      await this.#enterLosses();
      await this.#retain(journal);
      await this.#removeDropped(journal);
      more = await this.#seal(journal);
      await this.#removeDropped(journal);
      await this.#makeRoomInJournal(journal);
      this.#report();
      if (journal === this.#log.journal) await journal.recycle();
    }
  }

  /** A segment belongs to one life: what another one may still write into it must not hit records of this one. */
  async #beginLife(journal: Journal): Promise<void> {
    this.#open.clear();
    await tidySegments(this.#env, journal.state);
    this.#quarantineBytes = await quarantinedBytes(this.#env);
    for (const loss of journal.losses) this.noteLoss(loss);
    this.#journal = journal;
  }

  async #enterLosses(): Promise<void> {
    if (this.#losses.length === 0) return;
    const losses = [...this.#losses];
    await this.#commitWithLosses(losses.length, () => ({ entries: [], losses }));
    this.#losses.splice(0, losses.length);
  }

  async #retain({ state, files }: Journal): Promise<void> {
    const retention = this.#retention;
    if (retention === undefined) return;
    const { forwarding, isClockSet } = retention;
    const { fileBytes, clock } = this.#env;
    const nowMs = isClockSet() ? clock.wallMs() : undefined;
    const plan = (now: LogState): readonly Removal[] => {
      const filesToSeal = Math.min(countUnsealed(now, files), limits.sealFilesMax);
      const byRule = planRetention(now, forwarding, nowMs);
      const excess = bytesToFree(this.#usage(), this.#budgetBytes, fileBytes, filesToSeal);
      return excess > 0 && byRule.length === 0 ? planBudget(now, forwarding, excess) : byRule;
    };
    // Twice: what the rules remove may already be enough for the budget.
    for (let round = 0; round < 2; round += 1) {
      const removals = plan(state);
      if (removals.length === 0) return;
      await this.#commitWithLosses(removals.length, (now) => removalPlan(plan(now), retention));
    }
  }

  /** Sealed files go when the next file is begun. If their room is needed now, that must not wait for further records. */
  async #makeRoomInJournal(journal: Journal): Promise<void> {
    const excess = bytesToFree(this.#usage(), this.#budgetBytes, this.#env.fileBytes, 0);
    if (excess === 0 || journal.heldFiles === 0 || journal !== this.#log.journal) return;
    journal.rollWithNextCommit();
    await this.#log.commit(
      (state) => ({ entries: sayAgain(state), records: [] }),
      limits.upkeepEntryBytesMax,
    );
  }

  /** Commits entries together with the rows of the ledger that tell what is lost by them. */
  async #commitWithLosses(
    count: number,
    plan: (state: LogState) => { readonly entries: readonly Entry[]; readonly losses: readonly Loss[] },
    moreBytes = 0,
  ): Promise<void> {
    const { state: before } = this.#log.journal;
    if (before.topic(gapsTopicName) === undefined && plan(before).losses.length > 0)
      await this.#log.growTopic(gapsTopicName, 1);
    let losses: readonly Loss[] = [];
    await this.#log.commit(
      (state) => {
        const planned = plan(state);
        losses = planned.losses;
        // Somebody has deleted it just now: without its row nothing may be lost.
        if (losses.length > 0 && state.topic(gapsTopicName) === undefined) throw ledgerIsGone();
        const nowMs = this.#env.clock.wallMs();
        return { entries: planned.entries, records: losses.map((loss) => gapRecord(loss, nowMs)) };
      },
      count * (limits.upkeepEntryBytesMax + limits.gapRecordBytesMax) + moreBytes,
    );
    for (const loss of losses) this.#tellLoss(loss);
  }

  #tellLoss(loss: Loss): void {
    const { reason, firstOffset, endOffset } = loss;
    const count = endOffset - firstOffset;
    if (reason === 'possible-duplicate') this.#env.metrics.add('headwater_records_doubtful_total', count);
    else this.#env.metrics.add('headwater_records_lost_total', count, { reason });
    this.#env.logger.warn({ ...loss }, `${sentenceOf(reason)}; the topic gaps says which`);
  }

  /** Returns whether something was sealed. */
  async #seal(journal: Journal): Promise<boolean> {
    const job = planSeal(journal.state, journal.files, this.#open);
    if (job === undefined) return false;
    const startedMs = this.#env.clock.monotonicMs();
    this.#sealingBytes = job.files.length * this.#env.fileBytes;
    try {
      const result = await this.#sealer.seal(job, this.#stopping.signal);
      return await this.#enter(journal, job, result, startedMs);
    } finally {
      this.#sealingBytes = 0;
    }
  }

  async #enter(journal: Journal, job: SealJob, result: SealResult, startedMs: number): Promise<boolean> {
    for (const lost of result.damage)
      this.#env.logger.error(
        { ...lost },
        'the medium damaged commits of the journal, and their records are lost; replace the card soon',
      );
    let isEntered = false;
    const segments = result.partitions.reduce((sum, one) => sum + one.segments.length, 0);
    await this.#commitWithLosses(segments + job.partitions.length, (state) => {
      // A recovery in between may have cut what was sealed: then it is sealed again.
      isEntered = journal === this.#log.journal;
      return isEntered ? sealEntries(state, job, result.partitions) : { entries: [], losses: [] };
    });
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

  async #removeDropped({ state }: Journal): Promise<void> {
    for (const path of state.droppedPaths()) {
      await this.#env.disk.remove(path);
      state.forgetDropped(path);
    }
  }

  get #budgetBytes(): number {
    return this.#retention?.budgetBytes ?? Number.POSITIVE_INFINITY;
  }

  #usage(): DiskUsage {
    const { journal } = this.#log;
    return {
      journalBytes: journal.sizeBytes,
      segmentBytes: journal.state.segmentBytes + journal.state.droppedBytes + this.#sealingBytes,
      quarantineBytes: this.#quarantineBytes,
      otherBytes: this.#retention?.otherBytes?.() ?? 0,
    };
  }

  #report(): void {
    const { state } = this.#log.journal;
    const { metrics } = this.#env;
    const segments = state.partitions().reduce((sum, partition) => sum + partition.segments.length, 0);
    metrics.set('headwater_segments', segments);
    metrics.set('headwater_segment_bytes', state.segmentBytes);
    metrics.set('headwater_data_bytes', this.usedBytes);
  }
}

function removalPlan(
  removals: readonly Removal[],
  { forwarding }: Retention,
): { readonly entries: readonly Entry[]; readonly losses: readonly Loss[] } {
  return {
    entries: removals.map(({ partition: { id }, logStartOffset }) =>
      logStartMoveEntry({ id, logStartOffset }),
    ),
    losses: removals.flatMap((removal): readonly Loss[] => {
      const { partition, reason } = removal;
      const { firstOffset, endOffset } = lostWith(removal, forwarding);
      if (firstOffset >= endOffset) return [];
      return [{ topic: partition.topic, partition: partition.id.partition, firstOffset, endOffset, reason }];
    }),
  };
}

function sentenceOf(reason: Loss['reason']): string {
  if (reason === 'refused') return 'the cluster refuses records, and the mirror goes on without them';
  if (reason === 'possible-duplicate')
    return 'records may arrive twice, since it is not certain what has arrived';
  return 'records are lost that the cluster does not have';
}

const ledgerIsGone = (): OperatingError =>
  new OperatingError('unknown-topic', `the topic ${gapsTopicName} was deleted; it is created again`);

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
