import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../src/core/limits.ts';
import { type MetricName, type Metrics, noMetrics } from '../../src/core/metrics.ts';
import type { StampedRecord } from '../../src/core/record.ts';
import { WorkerSealer } from '../../src/edge/worker-sealer.ts';
import type { Log } from '../../src/log/log.ts';
import type { SealJob, SealResult } from '../../src/log/segments/seal-job.ts';
import type { Sealer } from '../../src/log/segments/sealer.ts';
import type { TopicSettings } from '../../src/log/types.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import type { Contender } from './contender.ts';
import { openLog, readPartitions } from './headwater-log.ts';
import { observedDisk } from './observed-disk.ts';
import { topic } from './readings.ts';

const SEALED_MS_MAX = 600_000;
const POLL_MS = 2;

/** Sums of counters, whatever their labels. */
export class Counters implements Metrics {
  readonly #sums = new Map<MetricName, number>();
  readonly set = noMetrics.set;
  readonly observe = noMetrics.observe;

  add(name: MetricName, by: number): void {
    this.#sums.set(name, this.of(name) + by);
  }

  of(name: MetricName): number {
    return this.#sums.get(name) ?? 0;
  }
}

/** Our log with the sealing thread of the gateway, in a new folder. One can hold its sealing up, and wait for it. */
export class SealingLog implements Contender {
  readonly log: Log;
  /** What sealing alone asks of the disk. */
  readonly sealing: Counters;
  readonly #gate: SealingGate;
  readonly #worker: WorkerSealer;
  readonly #journal: { readonly counters: Counters; filesBegun: number };

  private constructor(
    log: Log,
    of: {
      readonly gate: SealingGate;
      readonly worker: WorkerSealer;
      readonly sealing: Counters;
      readonly journal: { readonly counters: Counters; filesBegun: number };
    },
  ) {
    this.log = log;
    this.#gate = of.gate;
    this.#worker = of.worker;
    this.sealing = of.sealing;
    this.#journal = of.journal;
  }

  static async open(folder: string, partitions: number, settings?: TopicSettings): Promise<SealingLog> {
    const journal = { counters: new Counters(), filesBegun: 0 };
    const sealing = new Counters();
    const worker = new WorkerSealer(folder, sealing);
    const gate = new SealingGate(worker);
    const disk = observedDisk(new NodeDisk(folder), {
      onRename(to) {
        if (to.endsWith('.journal')) journal.filesBegun += 1;
      },
    });
    const log = await openLog(disk, { metrics: journal.counters, sealer: gate });
    await log.createTopic(topic, partitions, settings);
    return new SealingLog(log, { gate, worker, sealing, journal });
  }

  async append(records: readonly StampedRecord[]): Promise<void> {
    await this.log.append(records);
  }

  read(partitions: readonly number[]): Promise<number> {
    return readPartitions(this.log, partitions);
  }

  /** How many records went into segments so far. */
  get sealedRecords(): number {
    return this.#gate.sealedRecords;
  }

  holdSealing(): void {
    this.#gate.hold();
  }

  resumeSealing(): void {
    this.#gate.open();
  }

  /** Journal files begun so far. */
  get journalFilesBegun(): number {
    return this.#journal.filesBegun;
  }

  /** Whether enough of the journal is complete and not in segments that it is being sealed. */
  get isSealing(): boolean {
    const sealed = this.#journal.counters.of('headwater_sealed_journal_files_total');
    return this.#journal.filesBegun - 1 - sealed >= limits.sealFilesMin;
  }

  /** Waits until there is nothing to seal. */
  async sealed(): Promise<void> {
    const deadlineMs = performance.now() + SEALED_MS_MAX;
    while (this.isSealing) {
      if (performance.now() > deadlineMs) throw new Error('the log does not seal what it is to seal');
      await sleep(POLL_MS);
    }
  }

  async close(): Promise<void> {
    this.resumeSealing();
    await this.log.close();
    await this.#worker.stop();
  }
}

/** A sealer whose jobs wait while it is held, and whose records are counted. */
class SealingGate implements Sealer {
  sealedRecords = 0;
  readonly #sealer: Sealer;
  #opened = Promise.withResolvers<void>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
    this.open();
  }

  hold(): void {
    this.#opened = Promise.withResolvers<void>();
  }

  open(): void {
    this.#opened.resolve();
  }

  async seal(job: SealJob, signal: AbortSignal): Promise<SealResult> {
    await this.#opened.promise;
    const result = await this.#sealer.seal(job, signal);
    for (const { fromOffset, endOffset } of job.partitions) this.sealedRecords += endOffset - fromOffset;
    return result;
  }

  setCommitting(isCommitting: boolean): void {
    this.#sealer.setCommitting(isCommitting);
  }
}
