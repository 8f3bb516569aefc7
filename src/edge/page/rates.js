/* How fast counters grow, by what they were some seconds ago. Pure. */

const windowSeconds = 10;

/** @typedef {{ readonly atSeconds: number, readonly totals: Readonly<Record<string, number>> }} Look */

/** Counters by name, as they were in the last ten seconds or so. */
export class RateWindow {
  /** @type {Look[]} */
  #looks = [];

  /** Takes in the counters at a time that only grows, but begins anew with them. @param {number} atSeconds @param {Readonly<Record<string, number>>} totals */
  add(atSeconds, totals) {
    const last = this.#looks.at(-1);
    const isAnew =
      last !== undefined &&
      (atSeconds < last.atSeconds ||
        Object.entries(last.totals).some(([name, total]) => (totals[name] ?? 0) < total));
    if (isAnew) this.#looks = [];
    this.#looks.push({ atSeconds, totals });
    // One that is older than the window stays, so that the whole of it is looked at.
    while ((this.#looks[1]?.atSeconds ?? atSeconds) <= atSeconds - windowSeconds) this.#looks.shift();
  }

  /** How much a counter grows in a second; null before there are two looks. @param {string} name */
  perSecond(name) {
    const first = this.#looks[0];
    const last = this.#looks.at(-1);
    if (first === undefined || last === undefined || last.atSeconds - first.atSeconds < 0.5) return null;
    return ((last.totals[name] ?? 0) - (first.totals[name] ?? 0)) / (last.atSeconds - first.atSeconds);
  }

  /** The sum over all counters. */
  totalPerSecond() {
    const names = Object.keys(this.#looks.at(-1)?.totals ?? {});
    /** @type {number | null} */
    let sum = names.length === 0 && this.#looks.length > 1 ? 0 : null;
    for (const name of names) {
      const rate = this.perSecond(name);
      if (rate !== null) sum = (sum ?? 0) + rate;
    }
    return sum;
  }
}
