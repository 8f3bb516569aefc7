import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { LogRecord } from '../../core/record.ts';
import type { Finding, FindingKind } from '../detection/finding.ts';
import {
  type Alert,
  type AlertReading,
  type AlertSubject,
  alertMemoKey,
  alertMemoPrefix,
  beginningAlert,
  plainText,
  withFinding,
} from './alert.ts';
import { alertDelays } from './alert-delays.ts';
import { type AlertEvent, type AlertLife, isOpen, stepAlert } from './alert-machine.ts';
import { decodeLife, encodeLife } from './alert-memo.ts';
import { decodeFlood, encodeFlood, type Flood, floodMemoKey } from './flood.ts';
import { newSilences, silenceEvent } from './silence-changes.ts';
import type { Silence, SilenceTree } from './silence-tree.ts';
import { floodRecord, type Telling, verdictRecord } from './verdict.ts';

/** What belongs into the next commit of the log. */
export interface AlertsToCommit {
  /** For the topic `anomalies`, in their order. */
  readonly verdicts: readonly LogRecord[];
  /** What has changed of what the log keeps, by key; no bytes: it is kept no longer. */
  readonly memos: ReadonlyMap<string, Uint8Array>;
  /** The kinds of the alerts that are raised. */
  readonly raised: readonly FindingKind[];
}

/** A place of the book: one kind of alert of one series, and what has become of it. */
interface Entry {
  readonly memoKey: string;
  life: AlertLife;
}

/**
 * All alerts that are not normal. What it decides follows from what it keeps and what it is given, and from nothing else: after a
 * crash, a book made of the memos that were committed, given the same again, tells the same.
 */
export class AlertBook {
  readonly #entries = new Map<string, Entry>();
  /** By series, each in the order of their keys. */
  readonly #bySeries = new Map<string, Entry[]>();
  #pending = 0;
  #flood: Flood | null = null;
  #verdicts: LogRecord[] = [];
  #raised: FindingKind[] = [];
  readonly #changed = new Set<string>();

  /** The book that these memos of the log speak of, and what of them cannot be read, in words; that is forgotten. */
  static restored(memos: ReadonlyMap<string, Uint8Array>): {
    readonly book: AlertBook;
    readonly problems: readonly string[];
  } {
    const book = new AlertBook();
    const problems = [...memos].flatMap(([key, bytes]) => book.#restore(key, bytes) ?? []);
    return { book, problems };
  }

  /** Whether nothing of the series is to be told of readings at which nothing is found: the fast path. */
  isQuiet({ series }: AlertSubject): boolean {
    return !this.#bySeries.has(series);
  }

  /**
   * What one source found at a reading: our detectors (`model` is null), or the external model of this name. Alerts of the same
   * source for which nothing was found have one more quiet reading. That a silence was found means that it is over: only a tick
   * raises one, because a device that returns after a while is not an alert of each of its fields.
   */
  observe(
    subject: AlertSubject,
    reading: AlertReading,
    findings: readonly Finding[],
    model: string | null = null,
  ): void {
    const source = model === null ? null : plainText(model, limits.alertModelBytesMax);
    for (const finding of findings) {
      if (finding.kind === 'counter-reset') this.#note(subject, reading, finding);
      else if (finding.kind !== 'silence') this.#find({ subject, reading, finding, standsFor: 0 }, source);
    }
    for (const entry of this.#entriesOf(subject)) {
      const { kind, model: ofModel } = entry.life.alert;
      const isFound = kind !== 'silence' && findings.some((finding) => finding.kind === kind);
      if (isFound || ofModel !== source) continue;
      this.#step(entry, { type: 'quiet', timeMs: reading.timeMs });
    }
  }

  /** Time has passed: delays and shelves may be over, and series may have become silent, or be heard again. */
  tick(nowMs: number, tree: SilenceTree): void {
    for (const entry of this.#inOrder()) this.#step(entry, { type: 'time', nowMs });
    for (const entry of this.#inOrder()) {
      const event = isSilence(entry) ? silenceEvent(entry.life, tree, nowMs) : null;
      if (event !== null) this.#step(entry, event);
    }
    const { suppressed, silences } = newSilences(
      tree,
      (series) => this.#openSilence(series) !== undefined,
      nowMs,
    );
    for (const series of suppressed) {
      const entry = this.#openSilence(series);
      if (entry !== undefined) this.#step(entry, { type: 'suppressed', nowMs });
    }
    for (const silence of silences) this.#find(silence, null, nowMs);
    this.#endFlood(nowMs);
  }

  /** The series is watched no longer: its alerts are cleared. */
  forget(series: string, nowMs: number): void {
    for (const entry of [...(this.#bySeries.get(series) ?? [])]) this.#step(entry, { type: 'ended', nowMs });
  }

  /** Alerts of what nobody looks at any more are cleared: no reading ever does it. */
  keepThose(isLookedAt: (alert: Alert) => boolean, nowMs: number): void {
    for (const entry of this.#inOrder())
      if (!isLookedAt(entry.life.alert)) this.#step(entry, { type: 'ended', nowMs });
  }

  /** Somebody has seen the alert. What it is then; null if no such alert is open. */
  acknowledge(id: string, by: string, nowMs: number): Alert | null {
    const entry = this.#entryOf(id);
    if (entry === undefined || !isOpen(entry.life)) return null;
    this.#step(entry, { type: 'acknowledge', by, nowMs });
    return entry.life.alert;
  }

  /**
   * Nobody wants to hear of this kind of alert of this series until then; it goes on living. What it is then; null if no such
   * alert is open or shelved.
   */
  shelve(id: string, untilMs: number, nowMs: number): Alert | null {
    const entry = this.#entryOf(id);
    if (entry === undefined || !(isOpen(entry.life) || isShelved(entry.life))) return null;
    this.#step(entry, { type: 'shelve', untilMs, nowMs });
    return entry.life.alert;
  }

  /** Ends that now. What the alert is then; null if no such alert is shelved. */
  unshelve(id: string, nowMs: number): Alert | null {
    const entry = this.#entryOf(id);
    if (entry === undefined || !isShelved(entry.life)) return null;
    const last = { ...entry.life.alert, shelvedUntilMs: null };
    this.#step(entry, { type: 'unshelve', nowMs });
    return this.#entries.has(entry.memoKey) ? entry.life.alert : last;
  }

  /** All that is not normal: pending, open and shelved, the worst first. */
  alerts(): readonly Alert[] {
    return this.#inOrder()
      .map(({ life }) => life.alert)
      .sort((one, other) => other.severity - one.severity);
  }

  /** Findings of the present flood that no alert was made of; 0 while there is room. */
  get heldBack(): number {
    return this.#flood?.heldBack ?? 0;
  }

  /** What has come about since this was last asked for. Who asks must make all of it durable, in one commit. */
  take(): AlertsToCommit {
    const memos = new Map([...this.#changed].map((key) => [key, this.#memo(key)] as const));
    const verdicts = this.#verdicts;
    const raised = this.#raised;
    this.#verdicts = [];
    this.#raised = [];
    this.#changed.clear();
    return { verdicts, memos, raised };
  }

  #memo(key: string): Uint8Array {
    if (key === floodMemoKey) return this.#flood === null ? new Uint8Array() : encodeFlood(this.#flood);
    const entry = this.#entries.get(key);
    return entry === undefined ? new Uint8Array() : encodeLife(entry.life);
  }

  /** What is wrong with the memo, if something is. */
  #restore(key: string, bytes: Uint8Array): string | undefined {
    if (!key.startsWith(alertMemoPrefix)) return undefined;
    const read = key === floodMemoKey ? decodeFlood(bytes) : decodeLife(bytes);
    if (!read.ok) {
      this.#changed.add(key);
      return `what the log keeps of an alert under ${key} cannot be read and is forgotten: ${read.reason}`;
    }
    if ('flood' in read) this.#flood = read.flood;
    else this.#insert({ memoKey: key, life: read.life });
    return undefined;
  }

  #find(
    { subject, reading, finding, standsFor }: Silence,
    model: string | null,
    timeMs: number = reading.timeMs,
  ): void {
    const { kind } = finding;
    const entry = this.#entriesOf(subject).find(
      ({ life }) => life.alert.kind === kind && life.alert.model === model,
    );
    const isForPending = alertDelays[kind].onReadings > 1;
    if (entry === undefined && isForPending && !this.#hasRoom(true)) this.#dropStale(timeMs);
    if (entry === undefined && !this.#hasRoom(isForPending)) {
      this.#holdBack(timeMs);
      return;
    }
    const event = { type: 'found', subject, model, reading, timeMs, finding, standsFor } as const;
    const { life, told } = stepAlert(entry?.life ?? null, event);
    assert(life !== null, 'what was found is not normal');
    if (entry !== undefined && isPending(entry.life) && !isPending(life) && !this.#hasRoom(false)) {
      this.#remove(entry);
      this.#holdBack(timeMs);
      return;
    }
    if (entry === undefined) this.#insert({ memoKey: alertMemoKey(subject, kind, model), life }, true);
    else this.#replace(entry, life);
    this.#tell(told);
  }

  #note(subject: AlertSubject, reading: AlertReading, finding: Finding): void {
    const noted = withFinding(beginningAlert(subject, finding.kind, null, reading), reading, finding);
    const { timeMs } = reading;
    const alert = { ...noted, state: 'cleared' as const, detectedMs: timeMs, clearedMs: timeMs };
    this.#tell([{ change: 'noted', alert, timeMs }]);
  }

  #step(entry: Entry, event: AlertEvent): void {
    const { life, told } = stepAlert(entry.life, event);
    if (life === null) this.#remove(entry);
    else this.#replace(entry, life);
    this.#tell(told);
  }

  #tell(told: readonly Telling[]): void {
    for (const telling of told) {
      this.#verdicts.push(verdictRecord(telling));
      if (telling.change === 'raised') this.#raised.push(telling.alert.kind);
    }
  }

  #insert(entry: Entry, isNew = false): void {
    const { memoKey, life } = entry;
    const ofSeries = this.#bySeries.get(life.alert.series) ?? [];
    this.#bySeries.set(life.alert.series, [...ofSeries, entry].sort(byKey));
    this.#entries.set(memoKey, entry);
    this.#pending += Number(isPending(life));
    if (isNew) this.#changed.add(memoKey);
  }

  #replace(entry: Entry, life: AlertLife): void {
    if (life === entry.life) return;
    this.#pending += Number(isPending(life)) - Number(isPending(entry.life));
    entry.life = life;
    this.#changed.add(entry.memoKey);
  }

  #remove({ memoKey, life }: Entry): void {
    const rest = (this.#bySeries.get(life.alert.series) ?? []).filter((entry) => entry.memoKey !== memoKey);
    if (rest.length === 0) this.#bySeries.delete(life.alert.series);
    else this.#bySeries.set(life.alert.series, rest);
    this.#entries.delete(memoKey);
    this.#pending -= Number(isPending(life));
    this.#changed.add(memoKey);
  }

  #hasRoom(isForPending: boolean): boolean {
    return isForPending
      ? this.#pending < limits.pendingAlertsMax
      : this.#entries.size - this.#pending < limits.openAlertsMax;
  }

  /** Makes room for a pending alert: of those that no reading has decided for long, the oldest goes. */
  #dropStale(timeMs: number): void {
    const [oldest] = this.#inOrder()
      .filter(({ life }) => isPending(life))
      .sort((one, other) => one.life.alert.startedMs - other.life.alert.startedMs);
    if (oldest === undefined || timeMs - oldest.life.alert.startedMs < limits.pendingAlertMs) return;
    this.#remove(oldest);
  }

  #holdBack(timeMs: number): void {
    const heldBack = (this.#flood?.heldBack ?? 0) + 1;
    if (this.#flood === null) this.#verdicts.push(floodRecord({ change: 'flood-began', heldBack, timeMs }));
    this.#flood = { heldBack };
    this.#changed.add(floodMemoKey);
  }

  #endFlood(timeMs: number): void {
    if (this.#flood === null) return;
    const share = limits.alertFloodEndPercent / 100;
    const isOver =
      this.#pending <= limits.pendingAlertsMax * share &&
      this.#entries.size - this.#pending <= limits.openAlertsMax * share;
    if (!isOver) return;
    this.#verdicts.push(floodRecord({ change: 'flood-ended', heldBack: this.#flood.heldBack, timeMs }));
    this.#flood = null;
    this.#changed.add(floodMemoKey);
  }

  #inOrder(): readonly Entry[] {
    return [...this.#entries.values()].sort(byKey);
  }

  #entriesOf({ series, partition }: AlertSubject): readonly Entry[] {
    return (this.#bySeries.get(series) ?? []).filter(({ life }) => life.alert.partition === partition);
  }

  #entryOf(id: string): Entry | undefined {
    return this.#entries.values().find(({ life }) => life.alert.id === id);
  }

  #openSilence(series: string): Entry | undefined {
    return this.#bySeries.get(series)?.find((entry) => isSilence(entry) && isOpen(entry.life));
  }
}

const byKey = (one: Entry, other: Entry): number => (one.memoKey < other.memoKey ? -1 : 1);

const isSilence = ({ life }: Entry): boolean => life.alert.kind === 'silence';

const isShelved = ({ alert }: AlertLife): boolean => alert.shelvedUntilMs !== null;

/** Waiting for its on-delay, with no place on the shelf that has to be kept. */
const isPending = ({ alert }: AlertLife): boolean =>
  alert.state === 'pending' && alert.shelvedUntilMs === null;
