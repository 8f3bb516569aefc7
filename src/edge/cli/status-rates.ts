import { limits } from '../../core/limits.ts';
import type { StatusReport } from '../status.ts';

/** What two looks at a gateway say that one cannot. */
export interface StatusRates {
  /** Records a second that arrived in each topic. */
  readonly arriving: ReadonlyMap<string, number>;
  /** Until the data folder takes its budget, at the rate at which it has grown; null while that is not known, or if it does not grow. */
  readonly secondsUntilFull: number | null;
}

interface Look {
  readonly atMs: number;
  readonly ends: ReadonlyMap<string, number>;
}

/** Compares the reports of a gateway, one after the other. Times are of the monotonic clock. */
export class RatesWatcher {
  #looks: Look[] = [];
  #uptimeSeconds = 0;
  #usedBytes: number | null = null;
  /** Since the size of the folder first changed: it grows in steps, by whole files. */
  #growth: { readonly atMs: number; readonly bytes: number; steps: number } | null = null;

  /** Enters a report; null for the first one of a run of the gateway. */
  look(report: StatusReport, nowMs: number): StatusRates | null {
    if (report.uptimeSeconds < this.#uptimeSeconds) this.forget();
    this.#uptimeSeconds = report.uptimeSeconds;
    const ends = new Map(report.topics.map(({ name, partitions }) => [name, sum(partitions)]));
    const [oldest] = this.#looks;
    this.#looks = [...this.#looks, { atMs: nowMs, ends }].slice(-limits.statusRateLooksMax);
    const secondsUntilFull = this.#secondsUntilFull(report.log, nowMs);
    if (oldest === undefined) return null;
    const seconds = Math.max(1, nowMs - oldest.atMs) / 1000;
    const arriving = [...ends].map(
      ([name, end]) => [name, Math.max(0, end - (oldest.ends.get(name) ?? 0)) / seconds] as const,
    );
    return { arriving: new Map(arriving), secondsUntilFull };
  }

  /** Begins anew, because the gateway was away. */
  forget(): void {
    this.#looks = [];
    this.#usedBytes = null;
    this.#growth = null;
  }

  #secondsUntilFull({ usedBytes, budgetBytes }: StatusReport['log'], nowMs: number): number | null {
    const hasChanged = this.#usedBytes !== null && this.#usedBytes !== usedBytes;
    this.#usedBytes = usedBytes;
    if (hasChanged) {
      this.#growth ??= { atMs: nowMs, bytes: usedBytes, steps: 0 };
      this.#growth.steps += 1;
    }
    if (this.#growth === null || this.#growth.steps < limits.statusGrowthStepsMin) return null;
    const grown = usedBytes - this.#growth.bytes;
    if (grown <= 0) return null;
    return (Math.max(0, budgetBytes - usedBytes) * (nowMs - this.#growth.atMs)) / 1000 / grown;
  }
}

const sum = (partitions: readonly { readonly highWatermark: number }[]): number =>
  partitions.reduce((total, { highWatermark }) => total + highWatermark, 0);
