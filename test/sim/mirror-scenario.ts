import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { gapsTopicName } from '../../src/core/topic-name.ts';
import type { SessionRequest, Target } from '../../src/forwarder/cluster/target.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import { AtLeastOnceTarget } from '../../src/forwarder/kafka/at-least-once-target.ts';
import { decodeCopy } from '../../src/forwarder/mirror/checkpoint.ts';
import { MirrorForwarding } from '../../src/forwarder/mirror/mirror-forwarding.ts';
import { partitionForKey } from '../../src/log/commits/partitioner.ts';
import { Log } from '../../src/log/log.ts';
import { type LaneName, laneNames, type TopicSettings } from '../../src/log/types.ts';
import { readRecords, readTexts } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import {
  type CommittingRecord,
  type Dislike,
  type Fault,
  SimCluster,
  SimTarget,
} from '../support/sim-target.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';
import { withoutDoubles } from '../support/without-doubles.ts';
import { forkUpkept, nothingUpkept, type Upkept, UpkeptLog } from './upkept-log.ts';

/** What happens to the gateway of one scenario, besides crashes of everything and faults of the link. */
export type MirrorMode =
  /** Nothing else; retention takes what was sent. */
  | 'honest'
  /** The disk budget is reached: what was not sent is dropped as well, and the topic `gaps` says so. */
  | 'dropped'
  /** Backups are restored. */
  | 'restored'
  /** The same, and the disk lies about syncs before the power fails. */
  | 'lying'
  /** The card moves to other boards. */
  | 'swapped'
  /** Copies of the card run at the same time, some without a serial number to tell them apart. */
  | 'cloned'
  /** The cluster forgets the checkpoints, or is replaced. */
  | 'lost'
  /** The cluster refuses some records for good, and the topic for a while. */
  | 'refusing'
  /** The cluster has no transactions: a consumer drops by the headers what arrives twice. */
  | 'plain';

export const mirrorModes: readonly MirrorMode[] = [
  'honest',
  'dropped',
  'restored',
  'lying',
  'swapped',
  'cloned',
  'lost',
  'refusing',
  'plain',
];

export interface MirrorScenarioResult {
  readonly mode: MirrorMode;
  readonly violations: readonly string[];
  readonly sent: number;
  /** Records that arrived twice, though within what the mode allows. */
  readonly doubled: number;
  /** Records that a lying disk made the mirror skip; in any other mode that is a violation. */
  readonly skipped: number;
  /** A digest of what every transaction carried, in the order in which they were committed. */
  readonly course: string;
}

/**
 * How many of so many runs on a lying disk may skip records untold. No rule can tell them when the disk drops what the cluster
 * has, with the row that would say so: measured was none in 4,000 runs, and looser rules skip many times more often.
 */
export const skippingRunsMax = (runs: number): number => Math.ceil(runs / 1_000);

/** A card in a board, and the gateway that runs on them. */
interface Site {
  disk: SimDisk;
  upkept: Upkept;
  board: string | null;
  log: Log;
  forwarder: Forwarder;
  forwarding: MirrorForwarding;
  targets: readonly SimTarget[];
}

/** A partition of the log. */
interface Stream {
  readonly topic: string;
  readonly partition: number;
}

/** Offsets of one partition that are gone although they were not sent, and the record that says so. */
interface Dropped {
  readonly stream: Stream;
  readonly fromOffset: number;
  readonly values: readonly string[];
  readonly told: string;
}

/** A row of the loss ledger. */
interface ToldRow extends Stream {
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** On this clock others get on with their work while somebody sleeps, the more the longer it is. */
class UnhurriedClock extends VirtualClock {
  override async sleep(ms: number): Promise<void> {
    for (let turns = Math.min(ms / 200, turnsPerSleepMax); turns > 0; turns -= 1) await setImmediate();
    await super.sleep(ms);
  }
}

const turnsPerSleepMax = 400;
/** In these the folder meets what it did not write itself. */
const changesIdentity: ReadonlySet<MirrorMode> = new Set(['restored', 'lying', 'swapped', 'cloned']);
const gateway = 'gw1';
const mapping = new TopicMapping({ gateway, topics: ['*'] });
/** These keep their partitions. */
const plainStreams: readonly Stream[] = [
  { topic: 'a', partition: 0 },
  { topic: 'a', partition: 1 },
  { topic: 'b', partition: 0 },
];
/** It is sent by key. */
const keyedTopic = 'k';
const keyedPartitions = 2;
/** No topic has more. */
const keyedCentralPartitions = 3;
const streams: readonly Stream[] = [
  ...plainStreams,
  ...Array.from({ length: keyedPartitions }, (_, partition) => ({ topic: keyedTopic, partition })),
];
/** With the lanes that they begin in. */
const topics: ReadonlyMap<string, LaneName> = new Map([
  ['a', 'bulk'],
  ['b', 'alarm'],
  [keyedTopic, 'bulk'],
  [gapsTopicName, 'bulk'],
]);
function anyOf(among: readonly Stream[], random: SimRandom): Stream {
  const stream = among[random.below(among.length)];
  if (stream === undefined) throw new Error('there is always a stream');
  return stream;
}

/** All settings of a topic that is in this lane. */
const settingsIn = (lane: LaneName, topic: string): TopicSettings =>
  topic === keyedTopic ? { lane, centralPartitions: keyedCentralPartitions } : { lane };

const actionsPerScenario = 40;
/** About one record or sealed batch, so that partitions and batches of one have to wait for each other. */
const smallTransactionBytes = 300;
const linkFaults: readonly Fault[] = [
  'unreachable',
  'answer-lost',
  'late',
  'busy',
  'refused',
  'part-refused',
];

/** The key of a value in the topic by key: one of a few, so that each has many values. */
const keyOf = (value: string): Buffer => Buffer.from(`key-${Number(value.split('.')[1]) % 5}`);

const nameOf = (stream: Stream): string => `${stream.topic}/${stream.partition}`;

/** Whether a record of the central topic is from this partition of the log, by where it lies or by its key. */
const isFrom = (stream: Stream, central: number, value: string): boolean =>
  (stream.topic === keyedTopic ? partitionForKey(keyOf(value), keyedPartitions) : central) ===
  stream.partition;

/** What the cluster has of a partition of the log; each key in its order, where it is sent by key. */
const arrivedFrom = (stream: Stream, cluster: SimCluster): readonly string[] =>
  Array.from({ length: keyedCentralPartitions }, (_, central) =>
    withoutPlainDoubles(cluster.committed(`${gateway}.${stream.topic}`, central))
      .map(({ value }) => Buffer.from(value).toString())
      .filter((value) => isFrom(stream, central, value)),
  ).flat();

/** Only without transactions records have the headers that tell doubles. */
const withoutPlainDoubles = (records: readonly CommittingRecord[]): readonly CommittingRecord[] =>
  records.every(({ headers }) => headers.length === 0) ? records : withoutDoubles(records);

/** Whether the folder remembers that some cluster had confirmed records of this partition. */
function knowsConfirmed({ log }: Site, place: string): boolean {
  const bytes = log.memos().get(`copy/${place.split('@')[0]}`);
  const copy = bytes === undefined ? null : decodeCopy(bytes);
  return copy?.ok === true && copy.value.nextOffset > 0;
}

/** What the cluster has against some of the records, always the same. */
function dislikeOf(value: string): Dislike | null {
  const number = Number(value.split('.')[1]);
  return number % 7 === 3 ? (dislikes[Math.floor(number / 7) % dislikes.length] ?? null) : null;
}

const dislikes: readonly Dislike[] = [
  { verdict: 'bad', isNamed: true },
  { verdict: 'too-large', isNamed: false },
  { verdict: 'bad', isNamed: false },
  { verdict: 'doubtful', isNamed: false },
];

/**
 * The real log and the real mirror on a simulated disk and before a simulated cluster, for a while. In the end
 * everything that is stored on any site must have arrived, in its order, and nothing twice but what the mode allows.
 */
export function runMirrorScenario(seed: number, mode: MirrorMode): Promise<MirrorScenarioResult> {
  return new MirrorScenario(seed, mode).run();
}

class MirrorScenario {
  readonly #seed: number;
  readonly #mode: MirrorMode;
  readonly #random: SimRandom;
  readonly #clock = new UnhurriedClock();
  readonly #clusters: SimCluster[] = [];
  readonly #sites: Site[] = [];
  readonly #violations: string[] = [];
  readonly #course = createHash('sha256');
  /** How often each value may arrive besides once. */
  readonly #allowance = new Map<string, number>();
  /** Doubles of which the loss ledger need not tell. */
  readonly #untellable = new Set<string>();
  /** Where each value is in the log, as `topic/partition@offset`. */
  readonly #places = new Map<string, string>();
  readonly #dropped: Dropped[] = [];
  /** Central topics that were ever given a lane anew. */
  readonly #moved = new Set<string>();
  #backup: Pick<Site, 'disk' | 'upkept'> | null = null;
  #sent = 0;
  #skipped = 0;
  #boards = 0;
  #faultRate = 0.1;

  constructor(seed: number, mode: MirrorMode) {
    this.#seed = seed;
    this.#mode = mode;
    this.#random = new SimRandom(seed);
  }

  async run(): Promise<MirrorScenarioResult> {
    this.#newCluster();
    const disk = new SimDisk(this.#random);
    this.#sites.push(await this.#boot({ disk, upkept: nothingUpkept(), board: this.#newBoard() }));
    for (let action = 0; action < actionsPerScenario; action += 1) await this.#act(this.#anySite());
    this.#faultRate = 0;
    for (const cluster of this.#clusters) for (const late of cluster.late.splice(0)) late();
    this.#cluster().forbiddenTopics.clear();
    for (const site of this.#sites) await this.#drain(site);
    // By then the cluster has ended what dead processes left open.
    await this.#clock.sleep(limits.transactionTimeoutMs);
    for (const cluster of this.#clusters) cluster.expire();
    for (const site of this.#sites) await this.#checkArrived(site);
    this.#checkKeys();
    this.#checkDropped();
    for (const site of this.#sites) await this.#checkRefused(site);
    const doubled = this.#checkDoubled();
    this.#checkIdentities();
    for (const { forwarder, log } of this.#sites) {
      await forwarder.stop();
      await log.close();
    }
    return {
      mode: this.#mode,
      violations: this.#violations,
      sent: this.#sent,
      doubled,
      skipped: this.#skipped,
      course: this.#course.digest('hex'),
    };
  }

  async #act(site: Site): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.45) await this.#append(site);
    else if (dice < 0.5) this.#seal(site);
    else if (dice < 0.54) await this.#moveTopic(site.log);
    else if (dice < 0.76)
      for (let turns = this.#random.below(40); turns > 0; turns -= 1) await setImmediate();
    else if (dice < 0.84) this.#cluster().late.shift()?.();
    else if (dice < 0.85) this.#cluster().forgetProducers();
    else if (dice < 0.93) await this.#crash(site);
    else await this.#harm(site);
  }

  /** What the mode is about. */
  async #harm(site: Site): Promise<void> {
    switch (this.#mode) {
      case 'honest':
      case 'plain':
        return await this.#trim(site);
      case 'dropped':
        return await this.#drop(site);
      case 'restored':
      case 'lying':
        return await this.#restoreOrBackUp(site);
      case 'swapped':
        site.board = this.#newBoard();
        return await this.#crash(site);
      case 'cloned':
        return await this.#clone(site);
      case 'lost':
        return await this.#loseCheckpoint(site);
      case 'refusing':
        return this.#forbidOrAllow();
    }
  }

  #forbidOrAllow(): void {
    const { forbiddenTopics } = this.#cluster();
    const central = `${gateway}.${this.#anyStream().topic}`;
    if (!forbiddenTopics.delete(central)) forbiddenTopics.add(central);
  }

  async #append({ log }: Site): Promise<void> {
    const isKeyed = this.#mode !== 'dropped' && this.#random.chance(0.2);
    const to = isKeyed ? { topic: keyedTopic } : anyOf(plainStreams, this.#random);
    const records = Array.from({ length: 1 + this.#random.below(4) }, () => {
      this.#sent += 1;
      const value = `${this.#seed}.${this.#sent}`;
      const key = isKeyed ? keyOf(value) : null;
      return { ...to, key, value: Buffer.from(value), timestampMs: this.#clock.wallMs(), headers: [] };
    });
    const appended = await log.append(records);
    for (const [index, { offset, partition }] of appended.entries())
      this.#places.set(`${records[index]?.value}`, `${nameOf({ ...to, partition })}@${offset}`);
  }

  /** The process is dead at once; then, perhaps, the power fails. */
  async #crash(site: Site, change: () => void = () => {}): Promise<void> {
    this.#kill(site);
    if (this.#random.chance(0.5) || this.#mode === 'lying') site.disk.cutPower();
    change();
    Object.assign(site, await this.#boot(site));
  }

  /** Its calls of the disk never return from here on, and nothing that it still does reaches the cluster. */
  #kill({ targets, forwarder, disk }: Site): void {
    for (const target of targets) target.isCutOff = true;
    disk.session();
    void forwarder.stop();
  }

  async #boot({ disk, upkept, board }: Pick<Site, 'disk' | 'upkept' | 'board'>): Promise<Site> {
    disk.faults = {};
    const shared = { clock: this.#clock, random: this.#random, logger: silentLogger, metrics: noMetrics };
    const files = { version: 'simulated', commitIntervalMs: 0, journalFileBytes: 48 * 1024 };
    const log = await Log.open({ ...shared, ...files, disk: disk.session() });
    const isFirst = log.topics().length === 0;
    await log.growTopic(gapsTopicName, 1);
    for (const { topic, partition } of streams) await log.growTopic(topic, partition + 1);
    if (isFirst) for (const [topic, lane] of topics) await log.setTopic(topic, settingsIn(lane, topic));
    // Perhaps between two runs as well.
    else if (this.#random.chance(0.2)) await this.#moveTopic(log);
    if (this.#mode === 'lying') disk.faults = { lies: 0.4 };
    const isPlain = this.#mode === 'plain';
    const targets = { alarm: this.#newTarget(), bulk: this.#newTarget() };
    const targetOf = (lane: LaneName): Target =>
      isPlain ? new AtLeastOnceTarget(targets[lane], this.#clock) : targets[lane];
    const forwarder = new Forwarder({
      ...shared,
      log: new UpkeptLog(log, upkept),
      brokers: [],
      mapping,
      lingerMs: 0,
      onCheckpointLost: 'resume',
      board,
      delivery: isPlain ? 'at-least-once' : 'exactly-once',
      targetOf,
      ...(this.#random.chance(0.5) ? { transactionBytesMax: smallTransactionBytes } : {}),
    });
    const forwarding = new MirrorForwarding(mapping);
    forwarding.remember(log);
    forwarding.follow(forwarder);
    forwarder.start();
    return { disk, upkept, board, log, forwarder, forwarding, targets: Object.values(targets) };
  }

  #newTarget(): SimTarget {
    const cluster = this.#cluster();
    const before = new Map(cluster.initialisations);
    return new SimTarget({
      cluster,
      onRead: (session) => this.#checkInitialised(session, cluster, before),
      pause: setImmediate,
      faultOf: () =>
        this.#random.chance(this.#faultRate)
          ? (linkFaults[this.#random.below(linkFaults.length)] ?? null)
          : null,
    });
  }

  /** Into either lane. Copies fence each other lane by lane: where theirs differ, more arrives twice (DESIGN.md). */
  async #moveTopic(log: Log): Promise<void> {
    if (this.#sites.length > 1) return;
    const topic = [...topics.keys()][this.#random.below(topics.size)] ?? '';
    this.#moved.add(`${gateway}.${topic}`);
    await log.setTopic(topic, settingsIn(this.#random.chance(0.5) ? 'alarm' : 'bulk', topic));
  }

  /** Retention: what has arrived may go. */
  async #trim({ log, upkept: { starts } }: Site): Promise<void> {
    const stream = this.#anyStream();
    const arrived = new Set(arrivedFrom(stream, this.#cluster()));
    const stored = await readTexts(log, stream.topic, stream.partition);
    const firstMissing = stored.findIndex((value) => !arrived.has(value));
    const end = firstMissing === -1 ? stored.length : firstMissing;
    const now = starts.get(nameOf(stream)) ?? 0;
    starts.set(nameOf(stream), now + this.#random.below(end - now + 1));
  }

  #seal({ log, upkept }: Site): void {
    const stream = this.#anyStream();
    const { highWatermark } = new UpkeptLog(log, upkept).partition(stream.topic, stream.partition);
    upkept.sealedEnds.set(nameOf(stream), highWatermark);
  }

  /** By the rules of the log: what is undecided stays, and so does what lies behind it. */
  async #drop({ log, upkept, forwarding }: Site): Promise<void> {
    const stream = this.#anyStream();
    const of = [stream.topic, stream.partition] as const;
    const { logStartOffset, highWatermark } = new UpkeptLog(log, upkept).partition(...of);
    const stored = await readTexts(log, ...of);
    const confirmed = forwarding.confirmedOffset(...of);
    const isUndecided = forwarding.undecidedOffset(...of) > confirmed;
    const bound = isUndecided ? Math.max(confirmed, logStartOffset) : highWatermark;
    const toOffset = logStartOffset + this.#random.below(bound - logStartOffset + 1);
    const fromOffset = Math.max(confirmed, logStartOffset);
    if (toOffset > fromOffset) {
      const told = `${nameOf(stream)} ${fromOffset}..${toOffset - 1}`;
      const values = stored.slice(fromOffset, toOffset);
      this.#dropped.push({ stream, fromOffset, values, told });
      const record = { key: null, value: Buffer.from(told), timestampMs: this.#clock.wallMs(), headers: [] };
      await log.append([{ topic: gapsTopicName, partition: 0, ...record }]);
    }
    upkept.starts.set(nameOf(stream), toOffset);
  }

  async #restoreOrBackUp(site: Site): Promise<void> {
    const backup = this.#backup;
    if (backup === null || this.#random.chance(0.4)) {
      this.#backup = { disk: site.disk.fork(), upkept: forkUpkept(site.upkept) };
      return;
    }
    const stored = await this.#storedValues(site);
    await this.#crash(site, () => {
      site.disk = backup.disk.fork();
      site.upkept = forkUpkept(backup.upkept);
    });
    // The disk had lost these, other records took their offsets, and the checkpoint tells of those alone.
    for (const value of await this.#storedValues(site)) if (!stored.has(value)) this.#allow(value);
  }

  async #storedValues({ log }: Site): Promise<ReadonlySet<string>> {
    const values: string[] = [];
    for (const stream of streams) values.push(...(await readTexts(log, stream.topic, stream.partition)));
    return new Set(values);
  }

  async #clone(site: Site): Promise<void> {
    if (this.#sites.length >= 3) return;
    // Both have what is not sent yet, and so both send it.
    for (const value of await this.#storedValues(site)) this.#allow(value);
    const twin = { disk: site.disk.fork(), upkept: forkUpkept(site.upkept) };
    this.#sites.push(
      await this.#boot({ ...twin, board: this.#random.chance(0.5) ? null : this.#newBoard() }),
    );
  }

  async #loseCheckpoint(site: Site): Promise<void> {
    this.#kill(site);
    for (const late of this.#cluster().late.splice(0)) late();
    // Of one transaction in each lane nobody can say whether it arrived, and of the last one before a topic was moved.
    for (const value of this.#cluster().lastCommitted(this.#moved)) this.#allow(value);
    if (this.#random.chance(0.5)) {
      // The first transaction of a partition that arrived looks like one that did not.
      for (const value of this.#cluster().lastCommitted(this.#moved))
        if (!knowsConfirmed(site, this.#places.get(value) ?? '')) this.#untellable.add(value);
      this.#cluster().deleteTopic(mapping.checkpointTopic);
    } else this.#newCluster();
    Object.assign(site, await this.#boot(site));
  }

  async #drain({ forwarder }: Site): Promise<void> {
    // Kept from the moment of the look: a lane may begin another transaction right after it.
    let isIdle = false;
    const isDone = (): boolean => {
      const { state, lagRecords } = forwarder.status();
      isIdle = state === 'idle' && lagRecords === 0;
      return state === 'stopped' || isIdle;
    };
    await until('everything is sent', isDone).catch(() => undefined);
    if (isIdle) return;
    this.#violate(`the mirror stands still: ${forwarder.status().message}`);
  }

  async #checkArrived({ log }: Site): Promise<void> {
    const isDropped = new Set(this.#dropped.flatMap(({ values }) => values));
    // A backup may bring back what the medium had lost, and the cluster was told so.
    const isDamaged = new Set(this.#clusters.flatMap((cluster) => this.#toldOffsets(cluster, 'damage')));
    for (const stream of streams) {
      const arrived = this.#arrived(stream);
      const first = new Map(arrived.toReversed().map((value, index) => [value, arrived.length - index]));
      const before = new Map<string, number>();
      for (const { offset, value: bytes } of await readRecords(log, stream.topic, stream.partition)) {
        const value = Buffer.from(bytes ?? []).toString();
        const at = first.get(value);
        if (isDropped.has(value) || this.#isDisliked(value)) continue;
        if (at === undefined && isDamaged.has(`${nameOf(stream)}@${offset}`)) continue;
        // Where records go by key, only those of one key have an order.
        const order = stream.topic === keyedTopic ? `${keyOf(value)}` : '';
        if (at === undefined) this.#skip(`${value} of ${nameOf(stream)} never arrived`);
        else if (at < (before.get(order) ?? 0))
          this.#violate(`${value} of ${nameOf(stream)} arrived before its predecessor`);
        before.set(order, Math.max(before.get(order) ?? 0, at ?? 0));
      }
    }
  }

  #checkKeys(): void {
    for (const cluster of this.#clusters)
      for (let central = 0; central < keyedCentralPartitions; central += 1)
        for (const value of cluster.values(`${gateway}.${keyedTopic}`, central))
          if (partitionForKey(keyOf(value), keyedCentralPartitions) !== central)
            this.#violate(`${value} is in partition ${central}, which is not that of its key`);
  }

  /** Before a lane reads the checkpoints, nothing that an earlier process left open in either lane is open any more. */
  #checkInitialised(
    { transactionalId }: SessionRequest,
    { initialisations }: SimCluster,
    before: ReadonlyMap<string, number>,
  ): void {
    if (this.#mode === 'plain') return;
    for (const lane of laneNames) {
      const id = transactionalId.replace(/(alarm|bulk)$/, lane);
      if ((initialisations.get(id) ?? 0) === (before.get(id) ?? 0))
        this.#violate(`${transactionalId} reads the checkpoints while ${id} is not initialised`);
    }
  }

  /** The loss ledger says what is lost, all of it and nothing else, once. */
  #checkDropped(): void {
    const told = this.#clusters.flatMap((cluster) => cluster.values(`${gateway}.${gapsTopicName}`, 0));
    for (const { stream, values, told: expected } of this.#dropped) {
      const copies = told.filter((one) => one === expected).length;
      if (copies !== 1) this.#violate(`the gap ${expected} was told ${copies} times`);
      const arrived = new Set(this.#arrived(stream));
      for (const value of values)
        if (arrived.has(value)) this.#violate(`${value} arrived although ${expected} is told as lost`);
    }
  }

  /** What the cluster refuses is told, once each, and nothing else is. */
  async #checkRefused({ log }: Site): Promise<void> {
    if (this.#mode !== 'refusing') return;
    const told = this.#toldOffsets(this.#cluster(), 'refused');
    for (const stream of streams) {
      const stored = await readTexts(log, stream.topic, stream.partition);
      const arrived = new Set(this.#arrived(stream));
      for (const [offset, value] of stored.entries()) {
        const copies = told.filter((one) => one === `${nameOf(stream)}@${offset}`).length;
        if (copies !== (this.#isDisliked(value) ? 1 : 0))
          this.#violate(`${value} of ${nameOf(stream)} was told ${copies} times as refused`);
        if (copies > 0 && arrived.has(value))
          this.#violate(`${value} arrived although it is told as refused`);
      }
    }
  }

  /** `topic/partition@offset` of each record that the ledger names for this reason. */
  #toldOffsets(cluster: SimCluster, reason: 'refused' | 'damage' | 'possible-duplicate'): readonly string[] {
    return cluster.values(`${gateway}.${gapsTopicName}`, 0).flatMap((row) => {
      if (!row.includes(`"${reason}"`)) return [];
      const { firstOffset, lastOffset, ...stream } = JSON.parse(row) as ToldRow;
      const count = lastOffset - firstOffset + 1;
      return Array.from({ length: count }, (_, index) => `${nameOf(stream)}@${firstOffset + index}`);
    });
  }

  #isDisliked(value: string): boolean {
    return this.#mode === 'refusing' && dislikeOf(value) !== null;
  }

  /** Before a transaction counts: its checkpoints pass only gaps that the cluster has been told before. */
  #checkCheckpoints(cluster: SimCluster, records: readonly CommittingRecord[]) {
    const told = cluster.values(`${gateway}.${gapsTopicName}`, 0);
    for (const { stream, fromOffset, told: gap } of this.#dropped) {
      const checkpoint = records.find(({ key }) => key.endsWith(`/${nameOf(stream)}`));
      if (checkpoint === undefined) continue;
      const { nextOffset } = JSON.parse(Buffer.from(checkpoint.value).toString()) as { nextOffset: number };
      if (nextOffset > fromOffset && !told.includes(gap))
        this.#violate(`the checkpoint passes ${gap} untold`);
    }
    if (this.#mode === 'refusing') this.#checkPassed(cluster, records);
  }

  /** In this mode nothing is ever removed, so offsets below a checkpoint have either arrived or are told. */
  #checkPassed(cluster: SimCluster, records: readonly CommittingRecord[]): void {
    const told = new Set(this.#toldOffsets(cluster, 'refused'));
    for (const stream of streams) {
      const checkpoint = records.find(({ key }) => key.endsWith(`/${nameOf(stream)}`));
      if (checkpoint === undefined) continue;
      const { nextOffset } = JSON.parse(Buffer.from(checkpoint.value).toString()) as { nextOffset: number };
      const passed = [...told].filter((one) => {
        const [of, offset] = one.split('@');
        return of === nameOf(stream) && Number(offset) < nextOffset;
      });
      const arrived = arrivedFrom(stream, cluster).length;
      const arriving = records.filter(
        ({ topic: to, partition: central, value }) =>
          to === `${gateway}.${stream.topic}` && isFrom(stream, central, Buffer.from(value).toString()),
      );
      if (arrived + arriving.length + passed.length < nextOffset)
        this.#violate(`the checkpoint ${nextOffset} of ${nameOf(stream)} passes what is not told`);
    }
  }

  /** Nothing arrives twice but what the mode allows, and what does is named by the loss ledger. */
  #checkDoubled(): number {
    let doubled = 0;
    const told = new Set(this.#clusters.flatMap((one) => this.#toldOffsets(one, 'possible-duplicate')));
    for (const stream of streams) {
      for (const [value, copies] of Map.groupBy(this.#arrived(stream), (one) => one)) {
        const more = copies.length - 1;
        doubled += more;
        if (more > (this.#allowance.get(value) ?? 0))
          this.#violate(`${value} of ${nameOf(stream)} arrived ${copies.length} times`);
        else if (more > 0 && !told.has(this.#places.get(value) ?? '') && !this.#untellable.has(value))
          this.#violate(`${value} at ${this.#places.get(value)} arrived ${copies.length} times untold`);
      }
    }
    return doubled;
  }

  #checkIdentities(): void {
    const ids = this.#cluster().transactionalIds();
    if (!changesIdentity.has(this.#mode) && ids.length !== (this.#mode === 'plain' ? 0 : laneNames.length))
      this.#violate(`the mirror used ${ids.length} transactional ids without a reason`);
  }

  /** Of all clusters, in the order in which they were used. */
  #arrived(stream: Stream): readonly string[] {
    return this.#clusters.flatMap((cluster) => arrivedFrom(stream, cluster));
  }

  #anyStream(): Stream {
    // What is dropped is to meet what is under way: the fewer there are, the more often it does.
    return anyOf(this.#mode === 'dropped' ? plainStreams : streams, this.#random);
  }

  #allow(value: string): void {
    this.#allowance.set(value, (this.#allowance.get(value) ?? 0) + 1);
  }

  #newCluster(): void {
    const name = `cluster-${this.#clusters.length + 1}`;
    const cluster = new SimCluster(name, () => this.#clock.wallMs());
    cluster.protocol = this.#random.chance(0.5) ? 1 : 2;
    cluster.onCommit = (records) => {
      this.#course.update(records.map(({ key, value }) => `${key}=${Buffer.from(value)}`).join());
      this.#checkCheckpoints(cluster, records);
    };
    if (this.#mode === 'refusing')
      cluster.dislikeOf = (name, value) =>
        streams.some((one) => name === `${gateway}.${one.topic}`) ? dislikeOf(value) : null;
    this.#clusters.push(cluster);
  }

  #newBoard(): string {
    this.#boards += 1;
    return `board-${this.#boards}`;
  }

  #anySite(): Site {
    const site = this.#sites[this.#random.below(this.#sites.length)];
    if (site === undefined) throw new Error('there is always a site');
    return site;
  }

  #cluster(): SimCluster {
    const cluster = this.#clusters.at(-1);
    if (cluster === undefined) throw new Error('there is always a cluster');
    return cluster;
  }

  #skip(what: string): void {
    if (this.#mode === 'lying') this.#skipped += 1;
    else this.#violate(what);
  }

  #violate(what: string): void {
    this.#violations.push(`seed ${this.#seed}, ${this.#mode}: ${what}`);
  }
}
