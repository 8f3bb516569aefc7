import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { decodeBatch } from '../../src/log/batch.ts';
import { Log } from '../../src/log/log.ts';
import { SimClock } from '../support/sim-clock.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

const topics = [
  { name: 'a', partitions: 2 },
  { name: 'b', partitions: 1 },
];
const partitions = topics.flatMap(({ name, partitions: count }) =>
  Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
);

/** What this search found wrong, in words; empty if nothing. */
export interface ScenarioResult {
  /** Crash states checked: one workload, one crash point, one choice of surviving sectors each. */
  readonly states: number;
  readonly violations: readonly string[];
  readonly crashes: { readonly power: number; readonly kill: number };
  readonly acknowledged: number;
}

/** What somebody outside was told about each offset: by an acknowledgement, or by having read it. */
type Told = Map<string, { readonly value: string; readonly how: 'acknowledged' | 'served' }>;

const place = (topic: string, partition: number, offset: number): string => `${topic}-${partition}@${offset}`;

/**
 * Some lives of one data folder: each appends from several producers while a reader follows, ends in the middle
 * of a random operation of the disk (in a recovery, too), by a kill or a power cut, and is recovered. After each
 * recovery everything that anybody was told must be there, and offsets must be dense.
 */
export async function runCrashScenario(seed: number, statesMax: number): Promise<ScenarioResult> {
  const scenario = new CrashScenario(new SimRandom(seed), seed);
  return await scenario.run(statesMax);
}

class CrashScenario {
  readonly #random: SimRandom;
  readonly #seed: number;
  readonly #disk: SimDisk;
  readonly #clock = new SimClock();
  readonly #told: Told = new Map();
  readonly #violations: string[] = [];
  readonly #crashes = { power: 0, kill: 0 };
  readonly #fileBytes: number;
  readonly #commitIntervalMs: number;
  #sent = 0;
  #acknowledged = 0;

  constructor(random: SimRandom, seed: number) {
    this.#random = random;
    this.#seed = seed;
    this.#disk = new SimDisk(random);
    this.#fileBytes = 4096 * (6 + random.below(12));
    this.#commitIntervalMs = random.below(2) * 20;
  }

  async run(statesMax: number): Promise<ScenarioResult> {
    let states = 0;
    while (states < statesMax && this.#violations.length === 0) {
      await this.#liveUntilCrash();
      states += 1;
      await this.#recoverAndCheck();
    }
    return { states, violations: this.#violations, crashes: this.#crashes, acknowledged: this.#acknowledged };
  }

  async #liveUntilCrash(): Promise<void> {
    const session = this.#disk.session();
    const faulty = this.#random.chance(0.3);
    this.#disk.faults = faulty ? { syncFails: 0.05, writeFails: 0.02 } : { syncFails: 0, writeFails: 0 };
    const death = this.#disk.dieAfter(1 + this.#random.below(this.#random.chance(0.3) ? 15 : 120));
    let dead = false;
    const end = death.then(() => {
      dead = true;
    });
    await Promise.race([end, this.#work(session, () => dead)]);
    this.#disk.faults = { syncFails: 0, writeFails: 0 };
    if (this.#random.chance(0.6)) {
      this.#crashes.power += 1;
      this.#disk.cutPower();
    } else {
      this.#crashes.kill += 1;
    }
  }

  /** Producers and a reader, until death; a start that fails because of an injected fault ends the life as well. */
  async #work(session: ReturnType<SimDisk['session']>, isDead: () => boolean): Promise<void> {
    const log = await this.#open(session).catch((error: unknown) => {
      if (!String(error).includes('EIO')) throw error;
      return undefined;
    });
    if (log === undefined) return;
    await this.#readAll(log, 'served');
    for (const { name, partitions: count } of topics) await log.growTopic(name, count);
    const producers = [0, 1, 2].map(() => this.#produce(log, isDead));
    await Promise.all([...producers, this.#follow(log, isDead)]);
  }

  async #produce(log: Log, isDead: () => boolean): Promise<void> {
    const open: Promise<void>[] = [];
    for (let count = this.#random.below(30); count > 0 && !isDead(); count -= 1) {
      open.push(this.#append(log, isDead));
      if (this.#random.chance(0.4)) await Promise.all(open.splice(0));
    }
    await Promise.all(open);
  }

  async #append(log: Log, isDead: () => boolean): Promise<void> {
    const { topic, partition } = partitions[this.#random.below(partitions.length)] ?? {
      topic: 'a',
      partition: 0,
    };
    const values = Array.from({ length: 1 + this.#random.below(3) }, () => this.#newValue());
    const records = values.map((value) => ({
      topic,
      partition,
      key: null,
      value: Buffer.from(value),
      timestampMs: this.#clock.wallMs(),
      headers: [],
    }));
    const appended = await log.append(records).catch((error: { code?: string }) => {
      if (error.code !== 'log-unavailable') throw error;
      return [];
    });
    if (isDead()) return;
    this.#acknowledged += appended.length;
    for (const [index, at] of appended.entries())
      this.#tell(place(topic, partition, at.offset), values[index] ?? '', 'acknowledged');
  }

  async #follow(log: Log, isDead: () => boolean): Promise<void> {
    for (let round = this.#random.below(8); round > 0 && !isDead(); round -= 1) {
      await this.#clock.sleep(10);
      await this.#readAll(log, 'served', isDead);
    }
  }

  async #recoverAndCheck(): Promise<void> {
    try {
      const log = await this.#open(this.#disk.session());
      const found = await this.#readAll(log, 'served');
      for (const [at, { value, how }] of this.#told) {
        const stored = found.get(at);
        if (stored === undefined) this.#violate(`${how} ${at} is lost`);
        else if (stored !== value) this.#violate(`${how} ${at} has another content`);
      }
      await log.close();
    } catch (error) {
      this.#violate(`the log does not open: ${error instanceof Error ? error.stack : String(error)}`);
    }
    // A recovered folder is left as after a kill: its page cache lives on, and the next crash may take it.
  }

  /** Reads every partition from its start; what was read has been told from now on. */
  async #readAll(log: Log, how: 'served', isDead = () => false): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const { topic, partition, highWatermark } of log.partitions()) {
      for (let offset = 0; offset < highWatermark; ) {
        const batches = await log.read(topic, partition, offset, 1 + this.#random.below(8192));
        const records = batches
          .flatMap((batch) => decodeBatch(batch.bytes))
          .filter((record) => record.offset >= offset);
        if (records.length === 0)
          return this.#violate(`${place(topic, partition, offset)} cannot be read`, found);
        for (const record of records) {
          if (record.offset !== offset) this.#violate(`${place(topic, partition, offset)} is missing`);
          const value = Buffer.from(record.value ?? []).toString();
          found.set(place(topic, partition, offset), value);
          if (!isDead()) this.#tell(place(topic, partition, offset), value, how);
          offset = record.offset + 1;
        }
      }
    }
    return found;
  }

  #tell(at: string, value: string, how: 'acknowledged' | 'served'): void {
    const told = this.#told.get(at);
    if (told === undefined) this.#told.set(at, { value, how });
    else if (told.value !== value) this.#violate(`${at} was ${told.how} with another content than now`);
  }

  #violate<T>(what: string, result?: T): T {
    this.#violations.push(`seed ${this.#seed}: ${what}`);
    return result as T;
  }

  #open(disk: ReturnType<SimDisk['session']>): Promise<Log> {
    return Log.open({
      disk,
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
      metrics: noMetrics,
      version: 'simulated',
      commitIntervalMs: this.#commitIntervalMs,
      journalFileBytes: this.#fileBytes,
    });
  }

  #newValue(): string {
    this.#sent += 1;
    const size = this.#random.chance(0.2) ? 2000 : 40;
    return `${this.#seed}:${this.#sent}:`.padEnd(this.#random.below(size), 'x');
  }
}
