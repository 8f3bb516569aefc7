import type { Clock } from '../../core/clock.ts';
import { isOperatingError, isSystemError, messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { NewRecord } from '../../core/record.ts';
import { anomaliesTopicName } from '../../core/topic-name.ts';
import { decodeBatch } from '../../log/encoding/batch.ts';
import type { LogReader, Memos } from '../../log/types.ts';
import type { AlertBook } from '../alerts/alert-book.ts';
import { findingKinds } from '../detection/finding.ts';
import type { Series } from '../series/series-table.ts';
import type { StatesEnd } from '../states/state-file.ts';
import type { StateSaver } from '../states/state-saver.ts';
import type { Judge } from './judge.ts';
import { isCaughtUp, type Position, type Positions } from './positions.ts';

/** The log as detection needs it. */
export interface JudgedLog extends LogReader {
  /** Whether records can be made durable now. */
  readonly available: boolean;
  memos(): Memos;
  append(records: readonly NewRecord[], memos: Memos): Promise<unknown>;
}

export interface AnomalyRunnerOptions {
  readonly log: JudgedLog;
  readonly book: AlertBook;
  readonly judge: Judge;
  readonly positions: Positions;
  readonly saver: StateSaver;
  /** Restores what was saved of all series; resolves with how far it reaches. */
  readonly takeUp: () => Promise<readonly StatesEnd[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A change of the alerts that somebody asks for. */
interface Request {
  readonly apply: () => void;
  readonly settle: (error: OperatingError | null) => void;
}

const stopping = (): OperatingError =>
  new OperatingError('log-unavailable', 'the gateway is stopping; ask again when it is back');

/**
 * Reads the log, has everything judged, and makes durable what is found. One commit holds the verdicts, what has changed of the alerts, and
 * the cursors behind what they are about (design §7): a crash anywhere leaves all of it or nothing, and then the same is found again. What
 * detectors know is saved more seldom; from there to the cursor they learn anew, and nothing of it is told.
 */
export class AnomalyRunner {
  readonly #options: AnomalyRunnerOptions;
  readonly #stopListening: () => void;
  readonly #stop = new AbortController();
  readonly #requests: Request[] = [];
  #running: Promise<void> | null = null;
  #hasNews = true;
  #wakeUp: () => void = () => {};
  /** Since when nobody else has had the event loop for sure. */
  #sliceStartMs: number;
  #tickedMs: number;
  #cursorsSavedMs: number;
  /** Since when readings could have been heard without a pause of our own making. */
  #listeningSinceMs: number;
  #toldOfTrouble = false;
  /** Whether a stop came before what was found was durable: the next run finds it again. */
  #isGivenUp = false;
  #news = new AbortController();

  constructor(options: AnomalyRunnerOptions) {
    this.#options = options;
    countFromZero(options.metrics, 'headwater_alerts_raised_total', 'kind', findingKinds);
    const nowMs = options.clock.monotonicMs();
    this.#sliceStartMs = nowMs;
    this.#tickedMs = nowMs;
    this.#cursorsSavedMs = nowMs;
    this.#listeningSinceMs = nowMs;
    this.#stopListening = options.log.onCommit(() => this.#wake());
  }

  /**
   * Looks where to go on. At the first start of all that is behind what is there, which is learned but is not news; that is durable when
   * this resolves, so that what comes then is judged whatever happens. While the log refuses, it is tried again later.
   */
  async prepare(): Promise<void> {
    const { log, positions, logger } = this.#options;
    positions.follow(log.partitions(), log.memos(), true);
    const cursors = positions.memos(log.memos());
    try {
      await log.append([], cursors);
      positions.saved(cursors);
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      logger.warn({ cause: messageOf(error) }, 'anomaly detection waits for the log; it goes on by itself');
    }
  }

  /** To be called once it is prepared. What was saved is restored only now: readings are taken in meanwhile. */
  start(): void {
    this.#running = this.#run();
  }

  /** Stops after what is being judged, with everything saved that can be. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    this.#stopListening();
  }

  /** Records that are not judged yet. */
  get lagRecords(): number {
    return this.#options.log.partitions().reduce((sum, { topic, partition, highWatermark }) => {
      const position = this.#options.positions.of(topic, partition);
      return position === undefined ? sum : sum + highWatermark - position.next;
    }, 0);
  }

  /** Aborted by the next change of alerts that is durable; a new one after that. */
  news(): AbortSignal {
    return this.#news.signal;
  }

  /**
   * Applies a change to the alerts; resolves with what it returned once that is durable.
   * @throws OperatingError `log-unavailable` if the gateway stops before
   */
  change<Result>(apply: () => Result): Promise<Result> {
    if (this.#stop.signal.aborted) return Promise.reject(stopping());
    return new Promise((resolve, reject) => {
      let result: Result;
      this.#requests.push({
        apply: () => {
          result = apply();
        },
        settle: (error) => (error === null ? resolve(result) : reject(error)),
      });
      this.#wake();
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    await this.#begin();
    while (!signal.aborted) {
      const hasMore = await this.#turn();
      if (!hasMore) await this.#rest();
    }
    await this.#settle({ isForced: true });
    for (const { settle } of this.#requests.splice(0)) settle(stopping());
    const { saver, positions } = this.#options;
    const isAllSaved = [...positions].every(({ next, saved }) => saved !== null && next <= saved);
    if (isAllSaved) await saver.saveNow(this.#ends(), async () => {});
  }

  /** Reads some of every partition; whether there is more. */
  async #turn(): Promise<boolean> {
    const { log, saver, positions } = this.#options;
    this.#hasNews = false;
    positions.follow(log.partitions(), log.memos(), false);
    let hasMore = false;
    for (const position of [...positions]) {
      if (this.#stop.signal.aborted) return false;
      hasMore = (await this.#readSome(position)) || hasMore;
    }
    this.#tickIfDue();
    await this.#settle({ isForced: false });
    saver.saveIfDue(
      () => this.#ends(),
      () => this.change(() => {}),
    );
    return hasMore;
  }

  /** Takes up what was saved, and goes back to where it ends. */
  async #begin(): Promise<void> {
    const { positions, log, saver, takeUp } = this.#options;
    const ends = await takeUp();
    for (const position of positions) {
      const { topic, partition, told } = position;
      const end = ends.find((one) => one.topic === topic && one.partition === partition);
      // Of a partition that was not there when states were saved, or whose states are lost, the newest is learned.
      position.next = Math.max(0, Math.min(end?.offset ?? told - limits.relearnedRecordsMax, told));
    }
    positions.follow(log.partitions(), log.memos(), false);
    await saver.saveBeginning(this.#ends());
  }

  async #readSome(position: Position): Promise<boolean> {
    const { log, clock } = this.#options;
    const { topic, partition } = position;
    if (isCaughtUp(position)) return false;
    try {
      const batches = await log.read(topic, partition, position.next, limits.anomalyReadBytesMax);
      const heardMs = clock.monotonicMs();
      for (const batch of batches) await this.#judgeBatch(position, decodeBatch(batch.bytes), heardMs);
      log.giveBack(batches);
      // Offsets that are lost are passed over.
      if (batches.length === 0) position.next = position.end;
      this.#toldOfTrouble = false;
    } catch (error) {
      if (!isSystemError(error) && !isOperatingError(error)) throw error;
      // Retention or a deletion came between: the next turn sees where the partition begins, if it is there.
      if (isOperatingError(error) && error.code !== 'unreadable-format') return false;
      await this.#bearTrouble(error);
    }
    return !isCaughtUp(position);
  }

  async #judgeBatch(
    position: Position,
    records: ReturnType<typeof decodeBatch>,
    heardMs: number,
  ): Promise<void> {
    for (const record of records) {
      if (record.offset < position.next) continue;
      this.#options.judge.judge(position, record, heardMs);
      position.next = record.offset + 1;
      if (this.#options.clock.monotonicMs() - this.#sliceStartMs >= limits.anomalySliceMs)
        await this.#breathe(position);
      if (this.#stop.signal.aborted) return;
    }
  }

  /** Lets everybody else have the event loop, after what was found is durable. */
  async #breathe({ next, told }: Position): Promise<void> {
    await this.#settle({ isForced: false });
    const pauseMs = next < told ? limits.relearningPauseMs : limits.anomalyPauseMs;
    await this.#options.clock.sleep(pauseMs, this.#stop.signal);
    this.#sliceStartMs = this.#options.clock.monotonicMs();
  }

  #tickIfDue(): void {
    const { clock, log, judge, positions } = this.#options;
    const nowMs = clock.monotonicMs();
    // While the log refuses readings nobody can be heard, and that is not the sensors' fault.
    if (!log.available) this.#listeningSinceMs = nowMs;
    if (nowMs - this.#tickedMs < limits.anomalyTickMs) return;
    this.#tickedMs = nowMs;
    const isHeard = ({ topic, partition }: Series): boolean => {
      const position = positions.of(topic, partition);
      return position !== undefined && isCaughtUp(position);
    };
    const silentMs = (series: Series): number =>
      isHeard(series) ? nowMs - Math.max(series.heardMs, this.#listeningSinceMs) : 0;
    judge.tick(clock.wallMs(), silentMs);
  }

  /** Makes durable what there is to be: verdicts, changed alerts, cursors, and what somebody asked for. */
  async #settle({ isForced }: { readonly isForced: boolean }): Promise<void> {
    // After what could not be made durable nothing may be: with cursors behind it, it would never be told.
    if (this.#isGivenUp) return;
    const { book, log, positions, clock, metrics } = this.#options;
    const requests = this.#requests.splice(0);
    for (const { apply } of requests) apply();
    const { verdicts, memos, raised } = book.take();
    const isDue = isForced || clock.monotonicMs() - this.#cursorsSavedMs >= limits.anomalyCursorMs;
    if (verdicts.length === 0 && memos.size === 0 && requests.length === 0 && !isDue) return;
    const cursors = positions.memos(log.memos());
    if (verdicts.length + memos.size + requests.length + cursors.size === 0) return;
    this.#cursorsSavedMs = clock.monotonicMs();
    const records = verdicts.map((verdict) => ({ ...verdict, topic: anomaliesTopicName }));
    const isDurable = await this.#append(records, new Map([...memos, ...cursors]));
    this.#isGivenUp = !isDurable;
    if (isDurable) positions.saved(cursors);
    if (isDurable) for (const kind of raised) metrics.add('headwater_alerts_raised_total', 1, { kind });
    if (isDurable && memos.size + verdicts.length > 0) this.#tellNews();
    for (const { settle } of requests) settle(isDurable ? null : stopping());
  }

  /** Tries until it is durable; false if the runner is stopped before. */
  async #append(records: readonly NewRecord[], memos: Memos): Promise<boolean> {
    let backoffMs: number = limits.anomalyBackoffMsMin;
    for (;;) {
      try {
        await this.#options.log.append(records, memos);
        return true;
      } catch (error) {
        if (!isOperatingError(error)) throw error;
        if (this.#stop.signal.aborted) return false;
        await this.#bearTrouble(error, backoffMs);
        backoffMs = Math.min(backoffMs * 2, limits.anomalyBackoffMsMax);
      }
    }
  }

  async #bearTrouble(error: unknown, ms: number = limits.anomalyBackoffMsMax): Promise<void> {
    const { logger, clock } = this.#options;
    if (!this.#toldOfTrouble)
      logger.warn({ cause: messageOf(error) }, 'anomaly detection waits for the log; it goes on by itself');
    this.#toldOfTrouble = true;
    await clock.sleep(ms, this.#stop.signal);
    this.#listeningSinceMs = clock.monotonicMs();
  }

  /** Until there is something new, or time for the next tick. */
  async #rest(): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(limits.anomalyReadIntervalMs, this.#stop.signal);
    if (!this.#hasNews && !this.#stop.signal.aborted) {
      const waking = new AbortController();
      this.#wakeUp = () => waking.abort();
      await clock.sleep(limits.anomalyTickMs, waking.signal);
      this.#wakeUp = () => {};
    }
    this.#sliceStartMs = clock.monotonicMs();
  }

  #tellNews(): void {
    const told = this.#news;
    this.#news = new AbortController();
    told.abort();
  }

  #wake(): void {
    this.#hasNews = true;
    this.#wakeUp();
  }

  #ends(): StatesEnd[] {
    return [...this.#options.positions].map(({ topic, partition, next }) => ({
      topic,
      partition,
      offset: next,
    }));
  }
}
