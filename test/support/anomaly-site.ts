import { setImmediate } from 'node:timers/promises';
import { Anomaly, type AnomalyOptions } from '../../src/anomaly/anomaly.ts';
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
      log,
      disk,
      clock,
      logger: silentLogger,
      metrics: noMetrics,
      detection: new PlainDetection(),
      rules: [],
      seriesMax: 100,
      topics: ['*'],
      verdictsTopic: null,
      stateBytesPerDay: 2 ** 40,
      ...this.#options,
    });
    this.#anomaly.start();
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

  async verdicts(): Promise<readonly ToldVerdict[]> {
    const records = await readRecords(this.log, anomaliesTopicName, 0);
    return records.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as ToldVerdict);
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
