import { assert, messageOf, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Metrics } from '../core/metrics.ts';
import type { SealJob, SealResult } from '../log/segments/seal-job.ts';
import type { Sealer } from '../log/segments/sealer.ts';
import { AskedThread } from './asked-thread.ts';
import { type PlainError, type SealAnswer, type SealWorkerData, sealFlags } from './seal-protocol.ts';

/**
 * Seals in a thread of its own, started with the first job: compressing must not hold up the event loop. If that thread
 * dies, its job is rejected and the next one gets a new thread.
 */
export class WorkerSealer implements Sealer {
  readonly #data: SealWorkerData;
  readonly #metrics: Metrics;
  readonly #thread: AskedThread<SealJob, SealAnswer>;
  #isBusy = false;

  /** @param dataDir the data folder, absolute */
  constructor(dataDir: string, metrics: Metrics) {
    this.#data = { dataDir, flags: new Int32Array(new SharedArrayBuffer(8)) };
    this.#metrics = metrics;
    this.#thread = new AskedThread(new URL('./seal-worker.ts', import.meta.url), {
      workerData: this.#data,
      resourceLimits: { maxYoungGenerationSizeMb: limits.sealThreadYoungMbMax },
    });
  }

  async seal(job: SealJob, signal: AbortSignal): Promise<SealResult> {
    assert(!this.#isBusy, 'one job at a time');
    signal.throwIfAborted();
    const abort = (): void => this.#setFlag(sealFlags.aborted, true);
    signal.addEventListener('abort', abort);
    this.#isBusy = true;
    try {
      const answer = await this.#ask(job);
      for (const { name, by, labels } of answer.additions) this.#metrics.add(name, by, labels);
      if ('error' in answer) throw errorOf(answer.error);
      return answer.result;
    } finally {
      this.#isBusy = false;
      signal.removeEventListener('abort', abort);
      this.#setFlag(sealFlags.aborted, false);
    }
  }

  setCommitting(isCommitting: boolean): void {
    this.#setFlag(sealFlags.committing, isCommitting);
  }

  /** Ends the thread. A job must have been ended before, by its signal. */
  async stop(): Promise<void> {
    await this.#thread.end();
  }

  async #ask(job: SealJob): Promise<SealAnswer> {
    try {
      return await this.#thread.ask(job);
    } catch (error) {
      throw new OperatingError('sealing-failed', `the thread that seals has ended: ${messageOf(error)}`);
    }
  }

  #setFlag(index: number, isSet: boolean): void {
    const { flags } = this.#data;
    Atomics.store(flags, index, isSet ? 1 : 0);
    Atomics.notify(flags, index);
  }
}

/** What the operating system refused is a system error again; all else is told apart by its name. */
function errorOf({ name, message, code, syscall }: PlainError): Error {
  if (code === 'unreadable-format') return new OperatingError(code, message);
  const error = new Error(message);
  error.name = name;
  return syscall === undefined ? error : Object.assign(error, { code, syscall });
}
