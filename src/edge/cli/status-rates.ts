import { limits } from '../../core/limits.ts';
import type { StatusReport } from '../status.ts';

/** What two looks at a gateway say that one cannot. */
export interface StatusRates {
  /** Records a second that arrived in each topic. */
  readonly arriving: ReadonlyMap<string, number>;
}

interface Look {
  readonly atMs: number;
  readonly ends: ReadonlyMap<string, number>;
}

/** Compares the reports of a gateway, one after the other. Times are of the monotonic clock. */
export class RatesWatcher {
  #looks: Look[] = [];
  #uptimeSeconds = 0;

  /** Enters a report; null for the first one of a run of the gateway. */
  look(report: StatusReport, nowMs: number): StatusRates | null {
    if (report.uptimeSeconds < this.#uptimeSeconds) this.forget();
    this.#uptimeSeconds = report.uptimeSeconds;
    const ends = new Map(report.topics.map(({ name, partitions }) => [name, sum(partitions)]));
    const [oldest] = this.#looks;
    this.#looks = [...this.#looks, { atMs: nowMs, ends }].slice(-limits.statusRateLooksMax);
    if (oldest === undefined) return null;
    const seconds = Math.max(1, nowMs - oldest.atMs) / 1000;
    const arriving = [...ends].map(
      ([name, end]) => [name, Math.max(0, end - (oldest.ends.get(name) ?? 0)) / seconds] as const,
    );
    return { arriving: new Map(arriving) };
  }

  /** Begins anew, because the gateway was away. */
  forget(): void {
    this.#looks = [];
  }
}

const sum = (partitions: readonly { readonly highWatermark: number }[]): number =>
  partitions.reduce((total, { highWatermark }) => total + highWatermark, 0);
