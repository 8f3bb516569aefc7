import type { MetricLabels, MetricName } from '../core/metrics.ts';
import type { SealResult } from '../log/segments/seal-job.ts';

/** What the gateway's thread gives the sealing one at its start. */
export interface SealWorkerData {
  readonly dataDir: string;
  /** Flags that both threads see, at the places of {@link sealFlags}; 0 or 1. */
  readonly flags: Int32Array;
}

/** A commit is in flight; the job is to end. */
export const sealFlags = { committing: 0, aborted: 1 } as const;

/** An addition to a counter, to be repeated where the metrics are. */
export interface Addition {
  readonly name: MetricName;
  readonly by: number;
  readonly labels: MetricLabels | undefined;
}

/** An error as it passes between threads; `code` is what the operating system or we call it. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}

/** What the sealing thread answers to a job. */
export type SealAnswer = { readonly additions: readonly Addition[] } & (
  | { readonly result: SealResult }
  | { readonly error: PlainError }
);
