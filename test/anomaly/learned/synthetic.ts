import type { SeriesState, StateSize } from '../../../src/anomaly/detection/series-state.ts';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import {
  learnRhythm,
  type MutableSight,
  rhythmSize,
  takeSight,
} from '../../../src/anomaly/learned/rhythm.ts';
import type { View } from '../../../src/anomaly/learned/views/view.ts';
import { SimRandom } from '../../support/sim-random.ts';

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
/** A Wednesday, 00:00 UTC. */
export const START_MS = Date.UTC(2025, 0, 1);

export interface Row {
  readonly timeMs: number;
  readonly value: number;
}

/** A normal deviate (Box and Muller). */
export function deviate(random: SimRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** So many rows, one each `stepMs`. */
export function rowsOf(
  count: number,
  stepMs: number,
  valueAt: (timeMs: number, index: number) => number,
): Row[] {
  return Array.from({ length: count }, (_, index) => {
    const timeMs = START_MS + index * stepMs;
    return { timeMs, value: valueAt(timeMs, index) };
  });
}

/** A room through the day, with noise. */
export function daily(count: number, stepMs: number, seed: number, noise = 0.3): Row[] {
  const random = new SimRandom(seed);
  return rowsOf(
    count,
    stepMs,
    (timeMs) => 20 + 5 * Math.sin((2 * Math.PI * timeMs) / DAY_MS) + noise * deviate(random),
  );
}

const randomly = (seed: number, pick: (random: SimRandom, index: number) => number): Row[] => {
  const random = new SimRandom(seed);
  return rowsOf(600, 5 * MINUTE_MS, (_, index) => pick(random, index));
};

/** What a detector has to bear, by what it is. */
export const series: Readonly<Record<string, readonly Row[]>> = {
  constant: rowsOf(600, 5 * MINUTE_MS, () => 21.5),
  'constant, then not': rowsOf(600, 5 * MINUTE_MS, (_, index) => (index < 400 ? 21.5 : index)),
  daily: daily(600, 5 * MINUTE_MS, 1),
  'on and off': rowsOf(600, 5 * MINUTE_MS, (_, index) => (index % 30 < 12 ? 1 : 0)),
  'heavy-tailed': randomly(2, (random) => Math.exp(4 * deviate(random))),
  'huge values': randomly(3, (random) => (random.next() - 0.5) * Number.MAX_VALUE),
  'tiny values': randomly(4, (random) => (random.next() - 0.5) * 1e-300),
  'one wild value': randomly(5, (random, index) => (index === 300 ? 1e300 : random.next())),
  counter: rowsOf(600, 5 * MINUTE_MS, (_, index) => 1e12 + index),
  'irregular, with gaps, times that stand still and go back': (() => {
    const random = new SimRandom(6);
    let timeMs = START_MS;
    return Array.from({ length: 600 }, () => {
      timeMs += random.chance(0.02) ? DAY_MS * random.next() : (random.next() - 0.1) * 5 * MINUTE_MS;
      if (random.chance(0.01)) timeMs -= DAY_MS;
      return { timeMs, value: deviate(random) };
    });
  })(),
  'before 1970': rowsOf(600, 5 * MINUTE_MS, (timeMs) => Math.sin(timeMs)).map(({ timeMs, value }) => ({
    timeMs: timeMs - 4 * START_MS,
    value,
  })),
};

/** A view with a state of its own that has others' numbers before and behind it. */
export class ViewRun {
  readonly view: View;
  readonly at: StateSize = { doubles: 3, floats: 5 };
  readonly state: SeriesState;
  readonly #rhythm = newSeriesState(rhythmSize);
  readonly #sight: MutableSight = { timeMs: 0, value: 0, elapsedMs: 0, isAfterGap: false };

  constructor(view: View) {
    this.view = view;
    const { doubles, floats } = view.size;
    this.state = newSeriesState({ doubles: doubles + 6, floats: floats + 10 });
  }

  score({ timeMs, value }: Row): number {
    takeSight(this.#rhythm, { doubles: 0, floats: 0 }, timeMs, value, this.#sight);
    return this.view.score(this.state, this.at, this.#sight);
  }

  learn(row: Row): void {
    takeSight(this.#rhythm, { doubles: 0, floats: 0 }, row.timeMs, row.value, this.#sight);
    this.view.learn(this.state, this.at, this.#sight);
    learnRhythm(this.#rhythm, { doubles: 0, floats: 0 }, row.value, this.#sight);
  }

  /** The scores of rows, each learned after it. */
  scores(rows: readonly Row[]): number[] {
    return rows.map((row) => {
      const score = this.score(row);
      this.learn(row);
      return score;
    });
  }
}
