import { type ErrorCode, isOperatingError, isSystemError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type Metrics, noMetrics } from '../../src/core/metrics.ts';
import type { NewRecord } from '../../src/core/record.ts';
import { gapsTopicName } from '../../src/core/topic-name.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';
import { Log } from '../../src/log/log.ts';
import type { Compression, LifeStart, Retention, TopicSettings } from '../../src/log/types.ts';
import { unmirrored } from '../support/log-on-disk.ts';
import { SimClock } from '../support/sim-clock.ts';
import { type DiskEvent, type Faults, noFaults, SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { chooseMode, type Mode } from './modes.ts';
import { Oracle, placeOf, type Told } from './oracle.ts';
import { Qos2Devices } from './qos2-devices.ts';
import { TopicChurn } from './topic-churn.ts';

const topics = [
  { name: 'a', partitions: 2, retention: {} },
  { name: 'b', partitions: 1, retention: { retention: { bytes: 1500 } } },
];
const partitions = topics.flatMap(({ name, partitions: count }) =>
  Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
);

/** Here QoS 2 messages go: a topic without a retention, so that only the disk budget removes any. */
const qos2Partitions = partitions.filter(({ topic }) => topic === 'a');
const isOfQos2 = (place: string): boolean => place.startsWith('a-');

/** The smallest budget that a folder works with: as few journal files, and a full quarantine where there can be one. */
const smallBudgetFiles = (mode: Mode): number => 13 + (mode.mayLose ? limits.quarantineFilesMax : 0);
/** Operations of a recovery at most; one that takes more never ends. */
const recoveryStepsMax = 400;
/** Sleeps of a second until a log must be back whose disk is whole again. */
const patienceSleeps = 500;
/** Events before a violation that its report shows. */
const eventsShown = 12;

/** What is wrong: something is not there, or something is there that must not be. */
export interface Violation {
  readonly kind: 'lost' | 'wrong';
  readonly text: string;
}

export interface ScenarioOptions {
  /** Hears of each operation of the disk. */
  readonly onOperation?: ((event: DiskEvent) => void) | undefined;
  /** The kind of disk; otherwise the seed chooses. */
  readonly mode?: string | undefined;
}

/** What one scenario found. */
export interface ScenarioResult {
  readonly mode: string;
  /** Crash states checked: one workload, one crash point, one choice of surviving sectors each. */
  readonly states: number;
  readonly violations: readonly Violation[];
  readonly crashes: { readonly power: number; readonly kill: number; readonly inRecovery: number };
  readonly acknowledged: number;
  /** Journal files whose records went into segments. */
  readonly sealedFiles: number;
}

interface Counts {
  states: number;
  sent: number;
  acknowledged: number;
  power: number;
  kill: number;
  inRecovery: number;
  sealedFiles: number;
}

/**
 * Some lives of one data folder: each appends from several producers while a reader follows, ends in the middle
 * of a random operation of the disk (in a recovery, too), by a kill or a power cut, and is recovered. After each
 * recovery everything that anybody was told must be there as it was told, and offsets must be dense.
 */
export async function runCrashScenario(
  seed: number,
  statesMax: number,
  { onOperation, mode: only }: ScenarioOptions = {},
): Promise<ScenarioResult> {
  const random = new SimRandom(seed);
  const mode = chooseMode(random, only);
  const disk = new SimDisk(random);
  disk.onOperation = onOperation;
  const counts = { states: 0, sent: 0, acknowledged: 0, power: 0, kill: 0, inRecovery: 0, sealedFiles: 0 };
  const fileBytes = 4096 * (5 + random.below(mode.busy ? 2 : 12));
  const setting = {
    fileBytes,
    budgetBytes: limits.otherFilesBytesMax + fileBytes * (random.chance(0.3) ? smallBudgetFiles(mode) : 1000),
    commitIntervalMs: random.below(2) * 20,
    segments: {
      segmentBytes: random.chance(0.5) ? 1 + random.below(4096) : limits.segmentBytesDefault,
      compression: compressions[random.below(compressions.length)] as Compression,
    },
  };
  const folder = new DataFolder(random, mode, setting, disk, new Oracle(mode.mayLose), counts);
  const every = random.chance(0.08) ? random.below(statesMax) : -1;
  let violation: Violation | undefined;
  try {
    for (let life = 0; counts.states < statesMax && violation === undefined; life += 1)
      violation = await folder.liveOnce(life === every);
  } catch (error) {
    violation = { kind: 'wrong', text: `the search fell over: ${stackOf(error)}` };
  }
  const { states, acknowledged, sealedFiles, ...crashes } = counts;
  const result = { mode: mode.name, states, crashes, acknowledged, sealedFiles };
  if (violation === undefined) return { ...result, violations: [] };
  const title = `seed ${seed} (${mode.name} disk): ${violation.text}`;
  const text = [title, ...folder.lastEvents()].join('\n  ');
  return { ...result, violations: [{ kind: violation.kind, text }] };
}

interface Setting {
  readonly fileBytes: number;
  readonly commitIntervalMs: number;
  readonly segments: TopicSettings;
  readonly budgetBytes: number;
}

const compressions = ['zstd', 'gzip', 'none'] as const satisfies readonly Compression[];

class DataFolder {
  readonly #random: SimRandom;
  readonly #mode: Mode;
  readonly #setting: Setting;
  readonly #disk: SimDisk;
  readonly #oracle: Oracle;
  readonly #counts: Counts;
  readonly #clock = new SimClock();
  readonly #metrics: Metrics;
  readonly #events: string[];
  readonly #devices: Qos2Devices;
  readonly #churn: TopicChurn;
  #violation: Violation | undefined;

  constructor(
    random: SimRandom,
    mode: Mode,
    setting: Setting,
    disk: SimDisk,
    oracle: Oracle,
    counts: Counts,
    events: readonly string[] = [],
    devices = new Qos2Devices(random),
    churn = new TopicChurn(random),
  ) {
    this.#random = random;
    this.#mode = mode;
    this.#setting = setting;
    this.#disk = disk;
    this.#oracle = oracle;
    this.#counts = counts;
    this.#events = [...events];
    this.#devices = devices;
    this.#churn = churn;
    this.#metrics = {
      ...noMetrics,
      add(name, by) {
        if (name === 'headwater_sealed_journal_files_total') counts.sealedFiles += by;
      },
    };
    disk.onFault = ({ operation, what }) => this.#note(`operation ${operation}: ${what}`);
  }

  /** The last things that happened, oldest first. */
  lastEvents(): readonly string[] {
    return this.#events.slice(-eventsShown);
  }

  /** One life, its crash, and the recovery with its check. Returns what was wrong. */
  async liveOnce(crashAtEveryStep: boolean): Promise<Violation | undefined> {
    this.#note(`state ${this.#counts.states + 1}: a life begins`);
    await this.#liveUntilCrash();
    if (crashAtEveryStep) await this.#crashAtEveryStepOfRecovery();
    if (this.#random.chance(0.3)) await this.#crashInRecovery();
    if (this.#violation === undefined) await this.#recoverAndCheck();
    return this.#violation;
  }

  async #liveUntilCrash(): Promise<void> {
    const session = this.#disk.session();
    const faults = this.#mode.mayLose || this.#random.chance(0.7) ? this.#mode.faults : noFaults;
    // A start that fails ends the life before anything is committed, so many lives are let in.
    if (this.#random.chance(0.5)) this.#disk.faults = faults;
    const operations = 1 + this.#random.below(this.#random.chance(0.3) ? 15 : this.#mode.busy ? 600 : 120);
    await this.#untilDeath(operations, (isDead) => this.#work(session, faults, isDead));
    this.#crash();
  }

  /** Runs `work` in a process that dies in its given operation, unless the work is done before. */
  async #untilDeath(
    operations: number,
    work: (isDead: () => boolean) => Promise<unknown>,
  ): Promise<'died' | 'done'> {
    let dead = false;
    const death = this.#disk.dieAfter(operations).then((): 'died' => {
      dead = true;
      return 'died';
    });
    return await Promise.race([death, work(() => dead).then((): 'done' => 'done')]);
  }

  #crash(): void {
    this.#churn.lifeEnded(this.#oracle);
    if (this.#random.chance(0.6)) {
      this.#counts.power += 1;
      this.#note('the power fails');
      this.#disk.cutPower();
    } else {
      this.#counts.kill += 1;
      this.#note('a kill');
    }
    if (this.#mode.flips && this.#random.chance(0.5)) this.#disk.flipBits(1 + this.#random.below(3));
    if (this.#mode.losesJournal && this.#random.chance(0.4)) this.#loseJournal();
    // Only late writes and evictions go on: the check must not be disturbed by new failures.
    const { landsLate = 0, evicts = 0 } = this.#mode.faults;
    this.#disk.faults = { landsLate, evicts };
    this.#disk.budgetBytes = Number.POSITIVE_INFINITY;
  }

  #loseJournal(): void {
    if (this.#random.chance(0.5)) this.#disk.loseFiles('journal');
    else this.#disk.spoilNewest('journal', '.journal', 1 + this.#random.below(4));
    this.#oracle.loseJournal();
  }

  /** Producers and a reader, until death; a start that fails because of an injected fault ends the life as well. */
  async #work(session: ReturnType<SimDisk['session']>, faults: Faults, isDead: () => boolean): Promise<void> {
    const { budgetBytes } = this.#setting;
    const retention = { budgetBytes, forwarding: unmirrored, isClockSet: () => true };
    const log = await this.#open(session, retention).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      return undefined;
    });
    if (log === undefined) return;
    this.#disk.faults = faults;
    try {
      await this.#readAll(log, isDead);
      for (const { name, partitions: count, retention } of topics) {
        const isThere = await unlessUnavailable(log.growTopic(name, count).then(() => true));
        const settings = { ...this.#setting.segments, ...retention };
        if (isThere) await unlessUnavailable(log.setTopic(name, settings));
      }
      const producers = [0, 1, 2].map(() => this.#produce(log, isDead));
      const space = this.#mode.fills ? [this.#limitSpace(isDead)] : [];
      const devices = this.#publishQos2(log, isDead);
      const churn = this.#churnTopics(log, isDead);
      await Promise.all([...producers, devices, churn, ...space, this.#follow(log, isDead)]);
      if (!isDead()) await this.#mustComeBack(log, isDead);
    } catch (error) {
      this.#violate(`the log failed: ${stackOf(error)}`);
    }
  }

  async #produce(log: Log, isDead: () => boolean): Promise<void> {
    const open: Promise<unknown>[] = [];
    for (let count = this.#random.below(this.#mode.busy ? 150 : 30); count > 0 && !isDead(); count -= 1) {
      open.push(this.#append(log, isDead));
      if (this.#random.chance(0.4)) await Promise.all(open.splice(0));
    }
    await Promise.all(open);
  }

  /** Returns whether the log took the records. */
  async #append(log: Log, isDead: () => boolean): Promise<boolean> {
    const { topic, partition } = this.#pick(partitions);
    const values = Array.from({ length: 1 + this.#random.below(3) }, () => this.#newValue());
    const records = values.map((value) => this.#recordOf(topic, partition, value));
    if (!hasTopic(log, topic)) return false;
    const appended = await unlessUnavailable(log.append(records));
    if (isDead() || appended === undefined) return false;
    for (const [index, { offset }] of appended.entries())
      this.#acknowledged(log, { topic, partition, offset }, values[index] ?? '');
    return true;
  }

  #acknowledged(
    log: Log,
    { topic, partition, offset }: { topic: string; partition: number; offset: number },
    value: string,
  ): void {
    this.#counts.acknowledged += 1;
    const life = lifeOf(log.lives(topic, partition), offset);
    this.#tell(placeOf(topic, partition, offset), { value, life, how: 'acknowledged' });
  }

  async #churnTopics(log: Log, isDead: () => boolean): Promise<void> {
    await this.#churn.work({
      log,
      oracle: this.#oracle,
      isDead,
      ask: unlessRefused,
      newRecord: (topic, partition) => this.#recordOf(topic, partition, this.#newValue()),
      acknowledged: (topic, partition, offset, { value }) =>
        this.#acknowledged(log, { topic, partition, offset }, String(value)),
    });
  }

  async #publishQos2(log: Log, isDead: () => boolean): Promise<void> {
    // A lost journal takes the open ids along, and what a device repeats is there twice.
    if (!hasAllTopics(log) || this.#mode.losesJournal) return;
    const { topic, partition } = this.#pick(qos2Partitions);
    await this.#devices.work({
      log,
      isDead,
      ask: unlessUnavailable,
      newValue: () => this.#newValue(),
      recordOf: (value) => this.#recordOf(topic, partition, value),
    });
  }

  #recordOf(topic: string, partition: number, value: string): NewRecord {
    const timestampMs = this.#clock.wallMs();
    return { topic, partition, key: null, value: Buffer.from(value), timestampMs, headers: [] };
  }

  async #follow(log: Log, isDead: () => boolean): Promise<void> {
    for (let round = this.#random.below(8); round > 0 && !isDead(); round -= 1) {
      await this.#clock.sleep(10);
      await this.#readAll(log, isDead);
    }
  }

  /** The disk fills up and empties again. */
  async #limitSpace(isDead: () => boolean): Promise<void> {
    for (let round = this.#random.below(6); round > 0 && !isDead(); round -= 1) {
      this.#disk.budgetBytes = this.#disk.usedBytes() + this.#random.below(2 * this.#setting.fileBytes);
      await this.#clock.sleep(this.#random.below(300));
      if (this.#random.chance(0.5)) this.#disk.budgetBytes = Number.POSITIVE_INFINITY;
      await this.#clock.sleep(this.#random.below(300));
    }
  }

  /** Once the disk is whole again the log comes back by itself. */
  async #mustComeBack(log: Log, isDead: () => boolean): Promise<void> {
    this.#disk.faults = noFaults;
    this.#disk.budgetBytes = Number.POSITIVE_INFINITY;
    for (let sleeps = 0; sleeps < patienceSleeps && !log.available; sleeps += 1)
      await this.#clock.sleep(1000);
    if (isDead() || !hasAllTopics(log)) return;
    const taken = await this.#append(log, isDead);
    if (!taken && !isDead()) this.#violate('the log does not come back when the disk is whole again');
  }

  /** The process dies in its recovery, once or several times. */
  async #crashInRecovery(): Promise<void> {
    for (let times = 1 + this.#random.below(3); times > 0; times -= 1) {
      const session = this.#disk.session();
      const { landsLate = 0, evicts = 0 } = this.#disk.faults;
      this.#disk.faults = { ...this.#mode.faults, landsLate, evicts };
      const open = (): Promise<unknown> => this.#open(session).catch(isSystemErrorOrThrow);
      await this.#untilDeath(1 + this.#random.below(40), open);
      this.#counts.inRecovery += 1;
      this.#crash();
    }
  }

  /** From this very crash state: a second crash in the first operation of the recovery, in the second one … */
  async #crashAtEveryStepOfRecovery(): Promise<void> {
    for (let step = 1; this.#violation === undefined; step += 1) {
      const branch = this.#fork();
      const session = branch.#disk.session();
      const end = await branch.#untilDeath(step, () => branch.#open(session));
      if (end === 'done') return;
      this.#counts.inRecovery += 1;
      branch.#crash();
      await branch.#recoverAndCheck();
      this.#violation = branch.#violation;
      if (this.#violation !== undefined) this.#events.splice(0, Number.POSITIVE_INFINITY, ...branch.#events);
      if (step > recoveryStepsMax) this.#violate('a recovery does not end');
    }
  }

  #fork(): DataFolder {
    const disk = this.#disk.fork();
    const oracle = this.#oracle.fork();
    const shared = [this.#counts, this.#events, this.#devices, this.#churn.fork()] as const;
    return new DataFolder(this.#random, this.#mode, this.#setting, disk, oracle, ...shared);
  }

  async #recoverAndCheck(): Promise<void> {
    this.#counts.states += 1;
    try {
      const log = await this.#open(this.#disk.session());
      const found = await this.#readAll(log);
      const ledger = await readLedger(log);
      const { lost, wrong } = this.#oracle.check(found, ledger);
      if (lost !== undefined) this.#violate(lost, 'lost');
      if (wrong !== undefined) this.#violate(wrong);
      const lostOfQos2 = this.#mode.mayLose
        ? undefined
        : this.#devices.check(found, ledger.filter(isOfQos2).length);
      if (lostOfQos2 !== undefined) this.#violate(lostOfQos2, 'lost');
      await log.close();
    } catch (error) {
      this.#violate(`the log does not open: ${stackOf(error)}`);
    }
    // A recovered folder is left as after a kill: its page cache lives on, and the next crash may take it.
  }

  /** Reads every partition from its start; what was read has been told from now on. */
  async #readAll(log: Log, isDead = () => false): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const { topic, partition } of log.partitions())
      if (topic !== gapsTopicName) await this.#readPartition(log, { topic, partition }, found, isDead);
    return found;
  }

  async #readPartition(
    log: Log,
    { topic, partition }: { topic: string; partition: number },
    found: Map<string, string>,
    isDead: () => boolean,
  ): Promise<void> {
    const info = log.partitions().find((one) => one.topic === topic && one.partition === partition);
    for (let offset = info?.logStartOffset ?? 0; offset < (info?.highWatermark ?? 0); ) {
      const bytesMax = 1 + this.#random.below(8192);
      const batches = await unlessRemoved(log.read(topic, partition, offset, bytesMax));
      if (batches === undefined || !hasTopic(log, topic)) return;
      const lives = log.lives(topic, partition);
      const records = batches
        .flatMap((batch) => decodeBatch(batch.bytes))
        .filter((record) => record.offset >= offset);
      if (records.length === 0) {
        if (!this.#mode.mayLose) this.#violate(`${placeOf(topic, partition, offset)} cannot be read`, 'lost');
        return;
      }
      for (const record of records) {
        const at = placeOf(topic, partition, record.offset);
        const dense = this.#mode.mayLose ? record.offset >= offset : record.offset === offset;
        if (!dense) this.#violate(`${placeOf(topic, partition, offset)} is followed by ${at}`);
        const value = Buffer.from(record.value ?? []).toString();
        offset = record.offset + 1;
        if (this.#mode.mayLose && isRowOfNamelessLedger(topic, value)) continue;
        found.set(at, value);
        // The lives of what was removed since it was read are no longer told.
        if (!isDead() && record.offset >= logStartOf(log, topic, partition))
          this.#tell(at, { value, life: lifeOf(lives, record.offset), how: 'served' });
      }
    }
  }

  #tell(at: string, told: Told): void {
    const wrong = this.#oracle.tell(at, told);
    if (wrong !== undefined) this.#violate(wrong);
  }

  #violate(what: string, kind: Violation['kind'] = 'wrong'): void {
    this.#violation ??= { kind, text: `${what} (found at operation ${this.#disk.operation})` };
  }

  #note(event: string): void {
    this.#events.push(event);
    if (this.#events.length > 4 * eventsShown) this.#events.splice(0, this.#events.length - eventsShown);
  }

  /** Without rules of retention nothing goes while somebody looks. */
  #open(disk: ReturnType<SimDisk['session']>, retention?: Retention): Promise<Log> {
    return Log.open({
      disk,
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
      metrics: this.#metrics,
      version: 'simulated',
      commitIntervalMs: this.#setting.commitIntervalMs,
      journalFileBytes: this.#setting.fileBytes,
      retention,
    });
  }

  #newValue(): string {
    this.#counts.sent += 1;
    const size = this.#random.chance(0.2) ? 2000 : 40;
    const value = `${this.#counts.sent}:`.padEnd(this.#random.below(size), 'x');
    this.#oracle.sends(value);
    return value;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)] as T;
  }
}

const stackOf = (error: unknown): string | undefined =>
  error instanceof Error ? error.stack : String(error);

const logStartOf = (log: Log, topic: string, partition: number): number =>
  log.partitions().find((one) => one.topic === topic && one.partition === partition)?.logStartOffset ?? 0;

/** The life of an offset, as the log tells it. */
const lifeOf = (lives: readonly LifeStart[], offset: number): string =>
  lives.findLast(({ firstOffset }) => firstOffset <= offset)?.life ?? 'none';

/** The places that the loss ledger names, as often as it does. */
async function readLedger(log: Log): Promise<string[]> {
  if (!hasTopic(log, gapsTopicName)) return [];
  const places: string[] = [];
  for (let offset = 0; ; ) {
    const batches = await log.read(gapsTopicName, 0, offset, 10_000);
    const records = batches.flatMap(({ bytes }) => decodeBatch(bytes)).filter((one) => one.offset >= offset);
    const last = records.at(-1);
    if (last === undefined) return places;
    offset = last.offset + 1;
    for (const { value } of records) {
      const { topic, partition, firstOffset, lastOffset } = JSON.parse(String(value));
      for (let lost = firstOffset; lost <= lastOffset; lost += 1)
        places.push(placeOf(topic, partition, lost));
    }
  }
}

/** The medium may take the name of the loss ledger, as that of any topic; its rows are the log's own, nobody has sent them. */
const isRowOfNamelessLedger = (topic: string, value: string): boolean =>
  /^lost-name-\d+$/.test(topic) && /^\{"topic":.*"reason":"(damage|retention|disk-budget)"/.test(value);

const hasTopic = (log: Log, topic: string): boolean => log.topics().some(({ name }) => name === topic);

const hasAllTopics = (log: Log): boolean => topics.every(({ name }) => hasTopic(log, name));

/** The answer, or undefined if it is one of these refusals. */
async function unless<T>(codes: readonly ErrorCode[], answer: Promise<T>): Promise<T | undefined> {
  return await answer.catch((error: unknown) => {
    if (isOperatingError(error) && codes.includes(error.code)) return undefined;
    throw error;
  });
}

const unlessUnavailable = <T>(answer: Promise<T>): Promise<T | undefined> =>
  unless(['log-unavailable'], answer);

/** A life whose start was undecided may see its topic come and go. */
const unlessRefused = <T>(answer: Promise<T>): Promise<T | undefined> =>
  unless(['log-unavailable', 'unknown-topic'], answer);

const unlessRemoved = <T>(answer: Promise<T>): Promise<T | undefined> =>
  unless(['unknown-topic', 'illegal-partition', 'offset-out-of-range'], answer);

function isSystemErrorOrThrow(error: unknown): void {
  if (!isSystemError(error)) throw error;
}
