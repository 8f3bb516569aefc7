import { setImmediate } from 'node:timers/promises';
import { Anomaly, type AnomalyOptions } from '../../src/anomaly/anomaly.ts';
import type { JudgedLog } from '../../src/anomaly/runner/anomaly-runner.ts';
import { OperatingError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { anomaliesTopicName } from '../../src/core/topic-name.ts';
import type { Log } from '../../src/log/log.ts';
import { openLog, readRecords } from './log-on-disk.ts';
import { ManualClock } from './manual-clock.ts';
import { PlainDetection } from './plain-detection.ts';
import type { SimDisk } from './sim-disk.ts';

const turnsMin = 20;
const turnsMax = 5_000;

/** A verdict as the topic `anomalies` has it. */
export interface ToldVerdict {
  readonly event: string;
  readonly id: string;
  readonly series: string;
  readonly kind: string;
  readonly firstOffset: number;
  readonly timeMs: number;
}

/** Detection on a log on a simulated disk, through runs that end as the test wants. Time passes when the test says so. */
export class AnomalySite {
  readonly disk: SimDisk;
  readonly #options: Partial<AnomalyOptions>;
  #passedMs = 0;
  #isDead = false;
  /** Whether the log refuses what detection wants to be stored, as a full one does. */
  refuseAppends = false;
  /** So many more of them it refuses by itself. */
  refusals = 0;
  /** What the service log was told. */
  readonly warnings: string[] = [];
  /** Bytes of detector states that were saved. */
  stateBytesWritten = 0;
  #clock = new ManualClock();
  #log: Log | null = null;
  #anomaly: Anomaly | null = null;

  constructor(disk: SimDisk, options: Partial<AnomalyOptions> = {}) {
    this.disk = disk;
    this.#options = options;
  }

  get log(): Log {
    if (this.#log === null) throw new Error('it is not started');
    return this.#log;
  }

  get anomaly(): Anomaly {
    if (this.#anomaly === null) throw new Error('it is not started');
    return this.#anomaly;
  }

  /** As `pass`, but the process dies in the middle of its so many-th disk operation from now, if there are so many. */
  async passAndDie(ms: number, operations: number, stepMs: number): Promise<void> {
    const untilMs = this.#passedMs + ms;
    void this.disk.dieAfter(operations).then(() => {
      this.#isDead = true;
    });
    await this.pass(ms, stepMs);
    this.#isDead = true;
    this.#passedMs = untilMs;
  }

  /** A new run; whatever the one before had under way never returns. */
  async start(): Promise<void> {
    this.#isDead = false;
    const clock = new ManualClock();
    clock.pass(this.#passedMs);
    this.#clock = clock;
    const disk = this.disk.session();
    const log = await openLog(disk);
    for (const name of ['readings', anomaliesTopicName])
      if (log.partitionsOf(name) === 0) await log.createTopic(name, name === 'readings' ? 2 : 1);
    this.#log = log;
    this.#anomaly = await Anomaly.open({
      decoded: (_, value) => value,
      log: this.#refusing(log),
      disk,
      clock,
      logger: { ...silentLogger, warn: (_: object, line: string) => void this.warnings.push(line) },
      metrics: {
        ...noMetrics,
        add: (name, by) => {
          if (name === 'headwater_anomaly_state_bytes_total') this.stateBytesWritten += by;
        },
      },
      detection: new PlainDetection(),
      rules: [],
      seriesMax: 100,
      topics: ['*'],
      verdictsTopic: null,
      stateBytesPerDay: 2 ** 40,
      ...this.#options,
    });
    this.#anomaly.start();
    await this.#settled();
  }

  async stop(): Promise<void> {
    const stopping = this.anomaly.stop();
    await this.pass(0);
    await stopping;
    await this.log.close();
  }

  /** A reading of a sensor, durable. */
  async send(sensor: string, value: number | string, topic = 'readings'): Promise<void> {
    await this.log.append([
      {
        topic,
        key: Buffer.from(sensor),
        value: Buffer.from(String(value)),
        timestampMs: this.#clock.wallMs(),
        headers: [],
      },
    ]);
  }

  /** Lets so much time pass, and all that is to be done be done, or as much as the disk lets. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left >= 0; left -= stepMs) {
      const step = Math.min(left, stepMs);
      this.#passedMs += step;
      this.#clock.pass(step);
      await this.#settled();
      if (left === 0 || this.#isDead) return;
    }
  }

  /** While nothing runs. */
  passOff(ms: number): void {
    this.#passedMs += ms;
  }

  async verdicts(): Promise<readonly ToldVerdict[]> {
    const records = await readRecords(this.log, anomaliesTopicName, 0);
    return records.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as ToldVerdict);
  }

  /** The log, unless it is to refuse. */
  #refusing(log: Log): JudgedLog {
    const isAvailable = (): boolean => !this.refuseAppends && this.refusals === 0;
    return {
      logId: log.logId,
      get available() {
        return isAvailable();
      },
      topics: () => log.topics(),
      partitions: () => log.partitions(),
      lives: (topic, partition) => log.lives(topic, partition),
      read: (topic, partition, offset, bytesMax) => log.read(topic, partition, offset, bytesMax),
      giveBack: (batches) => log.giveBack(batches),
      onCommit: (listener) => log.onCommit(listener),
      memos: () => log.memos(),
      append: async (records, memos) => {
        const isRefused = !isAvailable();
        this.refusals = Math.max(0, this.refusals - 1);
        if (isRefused) throw new OperatingError('log-unavailable', 'the log refuses');
        return await log.append(records, memos);
      },
    };
  }

  async #settled(): Promise<void> {
    for (
      let turn = 0, quiet = 0, seen = -1;
      turn < turnsMax && quiet < turnsMin && !this.#isDead;
      turn += 1
    ) {
      await setImmediate();
      quiet = this.disk.operation === seen ? quiet + 1 : 0;
      seen = this.disk.operation;
    }
  }
}
