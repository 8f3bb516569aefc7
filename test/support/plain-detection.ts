import type { Finding, FindingKind, ValueRange } from '../../src/anomaly/detection/finding.ts';
import type { Reading } from '../../src/anomaly/detection/reading.ts';
import { newSeriesState, type SeriesState } from '../../src/anomaly/detection/series-state.ts';
import type { Detection } from '../../src/anomaly/runner/detection.ts';
import type { SeriesSettings } from '../../src/anomaly/series/series-settings.ts';

/** As large as that of a real one, beside the names in the files. */
const size = { doubles: 3, floats: 256 };
const outOfRangeAbove = 100;
const countPerDuplicate = 17;

/** A detector of which everything is known: what it finds depends on each reading that it has learned. */
export class PlainDetection implements Detection {
  readonly version: string = 'plain';
  readonly #silentAfterMs: number;

  constructor(silentAfterMs = Number.POSITIVE_INFINITY) {
    this.#silentAfterMs = silentAfterMs;
  }

  newState(): SeriesState {
    return newSeriesState(size);
  }

  restoredState(bytes: Uint8Array): SeriesState | undefined {
    const state = this.newState();
    if (bytes.length !== state.bytes.length) return undefined;
    state.bytes.set(bytes);
    return state;
  }

  /** Beyond a limit, far from the mean of all readings, and every 17th reading. */
  observe({ doubles }: SeriesState, { value }: Reading, { hints }: SeriesSettings): readonly Finding[] {
    const [count = 0, mean = 0] = doubles;
    doubles[0] = count + 1;
    doubles[1] = mean + (value - mean) / (count + 1);
    const found: Finding[] = [];
    if (value > (hints.max ?? outOfRangeAbove)) found.push(finding('out-of-range', 700));
    if (count > 3 && Math.abs(value - mean) > 5) found.push(finding('spike', 400));
    if (count % countPerDuplicate === countPerDuplicate - 1) found.push(finding('stuck', 300));
    return found;
  }

  silentAfterMs(): number {
    return this.#silentAfterMs;
  }

  valueRange(): ValueRange {
    return { low: null, high: outOfRangeAbove };
  }
}

const finding = (kind: FindingKind, severity: number): Finding => ({
  kind,
  severity,
  score: 1,
  expected: null,
  rarity: null,
  words: [],
  isWarmingUp: false,
});
