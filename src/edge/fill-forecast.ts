import { limits } from '../core/limits.ts';

/** When a disk budget will be reached. `unknown`: too little was seen yet; `steady`: nothing fills it. */
export type Fill =
  | { readonly state: 'unknown' | 'steady'; readonly secondsLeft: null }
  | { readonly state: 'filling'; readonly secondsLeft: number };

interface Look {
  readonly atMs: number;
  readonly usedBytes: number;
}

/**
 * Says when a budget will be reached if the disk goes on to fill as in the last day, or since the start. Files are taken in large steps: what
 * is said is about right once some have been taken.
 */
export class FillForecast {
  readonly #looks: Look[] = [];

  /** How much is used at this time by the monotonic clock; asked as often as one likes. */
  look(atMs: number, usedBytes: number): void {
    const last = this.#looks.at(-1);
    if (last !== undefined && atMs - last.atMs < limits.fillLookMs) return;
    this.#looks.push({ atMs, usedBytes });
    while (this.#looks.length > limits.fillLooksMax) this.#looks.shift();
  }

  /** As seen from now, with so much used. */
  until(budgetBytes: number, nowMs: number, usedBytes: number): Fill {
    const [first] = this.#looks;
    if (first === undefined || nowMs - first.atMs < limits.fillKnownMs)
      return { state: 'unknown', secondsLeft: null };
    const bytesPerMs = (usedBytes - first.usedBytes) / (nowMs - first.atMs);
    if (bytesPerMs <= 0) return { state: 'steady', secondsLeft: null };
    const secondsLeft = Math.max(0, budgetBytes - usedBytes) / bytesPerMs / 1000;
    return { state: 'filling', secondsLeft };
  }
}
