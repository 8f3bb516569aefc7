import type { LabelledSeries } from '../../bench/eval/nab-corpus.ts';
import { SimRandom } from '../support/sim-random.ts';

/** A noisy daily wave from 10 to 30, a reading each five minutes, with labelled windows. */
export function syntheticSeries(
  name: string,
  options: { readonly count: number; readonly seed: number; readonly windows?: LabelledSeries['windows'] },
): LabelledSeries {
  const random = new SimRandom(options.seed);
  const rows = Array.from({ length: options.count }, (_, row) => ({
    timestamp: '',
    timeMs: row * 300_000,
    value: 20 + 9 * Math.sin((2 * Math.PI * row) / 288) + random.next() * 2 - 1,
  }));
  const windows = options.windows ?? [];
  return { name, rows, windows, anomalies: windows.map(({ first, last }) => Math.floor((first + last) / 2)) };
}
