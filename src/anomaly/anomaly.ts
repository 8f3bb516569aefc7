import type { Clock } from '../core/clock.ts';
import type { Disk } from '../core/disk.ts';
import { isSystemError, messageOf, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { ownTopicNames, topicChooser } from '../core/topic-name.ts';
import type { Alert } from './alerts/alert.ts';
import { AlertBook } from './alerts/alert-book.ts';
import { topicOf } from './alerts/series-name.ts';
import { SilenceTree } from './alerts/silence-tree.ts';
import type { ValueRange } from './detection/finding.ts';
import { AnomalyRunner, type JudgedLog } from './runner/anomaly-runner.ts';
import type { Detection } from './runner/detection.ts';
import { Judge } from './runner/judge.ts';
import { cursorIn, Positions } from './runner/positions.ts';
import { type SeriesRule, SeriesSettingsBook } from './series/series-settings.ts';
import { type Series, SeriesTable } from './series/series-table.ts';
import type { SavedState, StatesEnd } from './states/state-file.ts';
import { type LoadedStates, StateFiles } from './states/state-files.ts';
import { StateSaver } from './states/state-saver.ts';

export interface AnomalyOptions {
  readonly log: JudgedLog;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly detection: Detection;
  /** What the configuration says of series. */
  readonly rules: readonly SeriesRule[];
  readonly seriesMax: number;
  /** Which topics hold readings, as patterns. */
  readonly topics: readonly string[];
  /** The value of a record of the topic as JSON or a plain number; null for what has no series. It never throws. */
  readonly decoded: (topic: string, value: Uint8Array) => Uint8Array | null;
  /** Where other models publish their verdicts; null if there are none. */
  readonly verdictsTopic: string | null;
  readonly stateBytesPerDay: number;
}

/** How detection is. */
export interface AnomalyStatus {
  readonly series: number;
  readonly seriesMax: number;
  /** Series that were forgotten because there are more. */
  readonly evicted: number;
  /** Readings of this run. */
  readonly readings: number;
  /** Durable records that are not judged yet. */
  readonly lagRecords: number;
  /** What saved detector states take on the disk. */
  readonly stateBytes: number;
  readonly alerts: readonly Alert[];
  /** Findings that no alert was made of, because there are too many. */
  readonly heldBack: number;
}

/** Anomaly detection: a reader of the log (design §7). */
export class Anomaly {
  readonly #options: AnomalyOptions;
  readonly #book: AlertBook;
  readonly #table: SeriesTable;
  readonly #tree: SilenceTree;
  readonly #judge: Judge;
  readonly #files: StateFiles;
  readonly #runner: AnomalyRunner;

  private constructor(
    options: AnomalyOptions,
    parts: {
      book: AlertBook;
      table: SeriesTable;
      tree: SilenceTree;
      judge: Judge;
      files: StateFiles;
      runner: AnomalyRunner;
    },
  ) {
    this.#options = options;
    this.#book = parts.book;
    this.#table = parts.table;
    this.#tree = parts.tree;
    this.#judge = parts.judge;
    this.#files = parts.files;
    this.#runner = parts.runner;
  }

  /**
   * Takes up which alerts were open when the last run ended, and how far it was. What comes from then on is judged, whatever happens; but
   * what detectors know is restored only once it is started, so that readings need not wait for that.
   */
  static async open(options: AnomalyOptions): Promise<Anomaly> {
    const { log, disk, clock, logger, metrics, detection, rules, seriesMax, decoded, verdictsTopic } =
      options;
    const { book, problems } = AlertBook.restored(log.memos());
    for (const problem of problems) logger.warn({}, problem);
    const tree = new SilenceTree();
    const settings = new SeriesSettingsBook(rules);
    const table = new SeriesTable({
      seriesMax,
      settings,
      newState: () => detection.newState(),
      onRemoved: ({ watched, subject }) => {
        if (watched !== null) tree.remove(watched);
        book.forget(subject.series, clock.wallMs());
      },
      metrics,
    });
    const files = new StateFiles(disk, { logId: log.logId, detection: detection.version });
    const judge = new Judge({ table, detection, book, tree, decoded, verdictsTopic, logger, metrics });
    const isWatched = topicChooser(options.topics);
    const isRead = (topic: string): boolean =>
      topic === verdictsTopic || (isWatched(topic) && !ownTopicNames.has(topic));
    const there = new Set(log.topics().map(({ name }) => name));
    book.keepThose(({ model, series }) => {
      const topic = topicOf(series);
      if (model !== null) return verdictsTopic !== null;
      // Groups of which no series is watched end by themselves.
      if (topic === null || series.endsWith('*')) return true;
      return isRead(topic) && there.has(topic) && settings.of(series).detect !== 'off';
    }, clock.wallMs());
    const positions = new Positions(table, isRead, [...options.topics, verdictsTopic], log.memos());
    const saver = new StateSaver({
      files,
      series: table,
      clock,
      bytesPerDay: options.stateBytesPerDay,
      logger,
      metrics,
    });
    const cursors = new Map(log.memos());
    const takeUp = async (): Promise<readonly StatesEnd[]> => {
      const { states, ends } = await loaded(files, logger);
      const known = states.filter(({ topic, partition, nextOffset }) => {
        // What knows more than the log has ever told is of another past of this folder.
        const cursor = cursorIn(cursors, topic, partition);
        return isRead(topic) && cursor !== null && nextOffset <= cursor;
      });
      await restore(table, judge, detection, known, clock);
      return ends;
    };
    const runner = new AnomalyRunner({ log, book, judge, positions, saver, takeUp, clock, logger, metrics });
    await runner.prepare();
    return new Anomaly(options, { book, table, tree, judge, files, runner });
  }

  start(): void {
    this.#runner.start();
  }

  /**
   * What the configuration says of series is this from now on. What detectors know of a series stays; one that is not to be looked
   * at any more is forgotten, and its alerts are over.
   */
  useRules(rules: readonly SeriesRule[]): void {
    this.#table.useSettings(new SeriesSettingsBook(rules));
    for (const { watched, subject } of this.#table) if (watched !== null) this.#tree.renew(watched, subject);
  }

  /** Stops with everything saved that can be. */
  async stop(): Promise<void> {
    await this.#runner.stop();
  }

  /** What saved detector states take on the disk. */
  get stateBytes(): number {
    return this.#files.bytes;
  }

  /** All alerts that are not normal, the worst first. */
  list(): readonly Alert[] {
    return this.#book.alerts();
  }

  /** Findings that no alert was made of, because too many are open. */
  get heldBack(): number {
    return this.#book.heldBack;
  }

  /** Aborted by the next change of alerts that is durable; a new one after that. */
  news(): AbortSignal {
    return this.#runner.news();
  }

  status(): AnomalyStatus {
    return {
      series: this.#table.size,
      seriesMax: this.#options.seriesMax,
      evicted: this.#table.evicted,
      readings: this.#judge.readings,
      lagRecords: this.#runner.lagRecords,
      stateBytes: this.#files.bytes,
      alerts: this.list(),
      heldBack: this.heldBack,
    };
  }

  /** All series that are known, in the order of their names. */
  series(): readonly Series[] {
    return this.#table.byName();
  }

  /** Beyond which limits the next value of a series would be out of range. */
  valueRange({ state, lastTimeMs, settings }: Series): ValueRange {
    return this.#options.detection.valueRange(state, lastTimeMs, settings);
  }

  /** The value of a record of the topic as JSON or a plain number; null for what has no series. */
  decoded(topic: string, value: Uint8Array): Uint8Array | null {
    return this.#options.decoded(topic, value);
  }

  /** Somebody has seen the alert; resolves once that is durable, with null if no such alert is open. @throws OperatingError `log-unavailable`: ask again later */
  acknowledge(id: string, by: string): Promise<Alert | null> {
    return this.#change(() => this.#book.acknowledge(id, by, this.#options.clock.wallMs()));
  }

  /** Nobody wants to hear of it for so long; otherwise as `acknowledge`. */
  shelve(id: string, forMs: number): Promise<Alert | null> {
    const nowMs = this.#options.clock.wallMs();
    return this.#change(() => this.#book.shelve(id, nowMs + forMs, nowMs));
  }

  /** Ends that; otherwise as `acknowledge`. */
  unshelve(id: string): Promise<Alert | null> {
    return this.#change(() => this.#book.unshelve(id, this.#options.clock.wallMs()));
  }

  /** Who asks hears at once that the log refuses now, rather than waiting for as long as it does. */
  async #change(apply: () => Alert | null): Promise<Alert | null> {
    if (!this.#options.log.available)
      throw new OperatingError(
        'log-unavailable',
        'alerts cannot be changed while nothing can be stored; "headwater status" says why. Ask again then',
      );
    return await this.#runner.change(apply);
  }
}

/** What was saved. Whatever is wrong with the folder, detection does without it. */
async function loaded(files: StateFiles, logger: Logger): Promise<LoadedStates> {
  try {
    return await files.load();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    logger.warn(
      { cause: messageOf(error) },
      'the folder "anomaly" cannot be used: what detectors know is learned again from the log at each start until it can',
    );
    return { states: [], ends: [] };
  }
}

/** Those that were heard last are there to stay, if there are too many. Others get the event loop now and then. */
async function restore(
  table: SeriesTable,
  judge: Judge,
  detection: Detection,
  states: readonly SavedState[],
  clock: Clock,
): Promise<void> {
  let sliceStartMs = clock.monotonicMs();
  for (const saved of states.toSorted((one, other) => one.lastTimeMs - other.lastTimeMs)) {
    const state = detection.restoredState(saved.bytes);
    if (state === undefined) continue;
    const series = table.use(
      table.of(saved.topic, saved.partition),
      saved.key,
      saved.path,
      clock.monotonicMs(),
    );
    if (series === null) continue;
    series.state = state;
    series.nextOffset = saved.nextOffset;
    series.savedOffset = saved.nextOffset;
    series.lastTimeMs = saved.lastTimeMs;
    series.hasReturned = true;
    judge.watch(series);
    if (clock.monotonicMs() - sliceStartMs < limits.anomalySliceMs) continue;
    await clock.sleep(limits.anomalyPauseMs);
    sliceStartMs = clock.monotonicMs();
  }
}
