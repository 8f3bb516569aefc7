import type { Disk } from '../../core/disk.ts';
import { runSealJob, type SealJob, type SealResult } from './seal-job.ts';

/** Moves records from the journal into segments, beside the commits and out of their way. */
export interface Sealer {
  /**
   * Does a job. What it resolves with is durable; what a rejected one left behind counts for nothing. It rejects with an
   * `AbortError` soon after the signal, else with what the disk said.
   */
  seal(job: SealJob, signal: AbortSignal): Promise<SealResult>;
  /** A commit begins or ends; while one is in flight, the device is left to it. */
  setCommitting(isCommitting: boolean): void;
}

/** Seals in this thread, which is blocked while it compresses: for tests and tools, not for a gateway at work. */
export const sealerInThisThread = (disk: Disk): Sealer => ({
  seal: (job, signal) => runSealJob(disk, job, async () => signal.throwIfAborted()),
  setCommitting() {},
});
