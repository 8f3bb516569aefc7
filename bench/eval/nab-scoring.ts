/*
 * The scoring of the Numenta Anomaly Benchmark, written from its paper: Lavin and Ahmad 2015, "Evaluating Real-time Anomaly
 * Detection Algorithms: the Numenta Anomaly Benchmark", section II. Early detection within a labelled window is rewarded, late
 * detection less, each alarm outside of windows costs, the less the closer it follows a window; a window counts once.
 */

/** What the outcomes are worth to an application: the columns of the paper's table I. */
export interface Profile {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
}

/** A labelled window: the rows from first to last, both included. */
export interface Window {
  readonly first: number;
  readonly last: number;
}

/** A file with the anomaly score of each of its rows, and its windows in order. */
export interface ScoredFile {
  readonly name: string;
  readonly scores: ArrayLike<number>;
  readonly windows: readonly Window[];
}

/** One row that is scored, and what an alarm there is worth. */
interface Point {
  readonly file: number;
  /** Its window, counted through all files; null outside. */
  readonly window: number | null;
  readonly score: number;
  /** From -1 to 1, before the weights of the profile. */
  readonly worth: number;
}

/** Files ready to be scored: their points, the highest anomaly score first. */
export interface Corpus {
  readonly files: readonly ScoredFile[];
  readonly points: readonly Point[];
}

/** How alarms at a threshold fare. */
export interface Outcome {
  readonly threshold: number;
  /** The sum over the files, in points of the profile. */
  readonly raw: number;
  /** From 0, as if there were no alarm at all, to 100, as if each window were found at its first row without a false alarm. */
  readonly normalized: number;
}

const PROBATION_SHARE = 0.15;
const PROBATION_ROWS_MAX = 750;
/** So many window lengths behind a window its sigmoid is -1, as if there were no window. */
const FAR_BEHIND_WINDOWS = 3;
/** No score reaches it. */
const NO_ALARM = Number.POSITIVE_INFINITY;

/** The rows at the beginning of a file in which a detector may learn: they are never scored. */
export const probationRows = (rows: number): number =>
  Math.min(Math.floor(PROBATION_SHARE * rows), PROBATION_ROWS_MAX);

/** The paper's scaled sigmoid: from almost 1 at the left edge of a window (-1) by 0 at its right edge to almost -1 behind it. */
export const scaledSigmoid = (position: number): number =>
  position > FAR_BEHIND_WINDOWS ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;

const widthOf = ({ first, last }: Window): number => last - first + 1;

/** What an alarm at a row within a window is worth: 1 at its first row, almost nothing at its last. */
export const worthWithin = (window: Window, row: number): number =>
  scaledSigmoid(-(window.last - row + 1) / widthOf(window)) / scaledSigmoid(-1);

/** What a false alarm is worth: -1, less if it follows closely behind a window; null if there is none before it. */
export const worthBehind = (window: Window | null, row: number): number =>
  window === null ? -1 : scaledSigmoid((row - window.last) / (widthOf(window) - 1));

function pointsOf({ scores, windows }: ScoredFile, file: number, windowsBefore: number): Point[] {
  const points: Point[] = [];
  let next = 0;
  for (let row = 0; row < scores.length; row += 1) {
    while (row > (windows[next]?.last ?? Number.POSITIVE_INFINITY)) next += 1;
    const current = windows[next];
    if (row < probationRows(scores.length)) continue;
    const isWithin = current !== undefined && row >= current.first;
    points.push({
      file,
      window: isWithin ? windowsBefore + next : null,
      score: scores[row] ?? 0,
      worth: isWithin ? worthWithin(current, row) : worthBehind(windows[next - 1] ?? null, row),
    });
  }
  return points;
}

/** Files made ready to be scored as often as wanted. */
export function corpusOf(files: readonly ScoredFile[]): Corpus {
  let windows = 0;
  const points = files.flatMap((file, index) => {
    const found = pointsOf(file, index, windows);
    windows += file.windows.length;
    return found;
  });
  return { files, points: points.sort((a, b) => b.score - a.score) };
}

/** The points that alarms have earned so far. */
class Tally {
  raw: number;
  readonly #profile: Profile;
  readonly #best = new Map<number, number>();

  constructor(profile: Profile, windows: number) {
    this.#profile = profile;
    this.raw = -profile.falseNegative * windows;
  }

  alarm({ window, worth }: Point): void {
    if (window === null) {
      this.raw += this.#profile.falsePositive * worth;
      return;
    }
    const before = this.#best.get(window) ?? -this.#profile.falseNegative;
    const after = Math.max(before, this.#profile.truePositive * worth);
    this.#best.set(window, after);
    this.raw += after - before;
  }
}

/** Raw points on the scale from 0 (no alarm at all) to 100 (perfect). NaN without any window. */
export function normalized(raw: number, windows: number, profile: Profile): number {
  const none = -profile.falseNegative * windows;
  const perfect = profile.truePositive * windows;
  return (100 * (raw - none)) / (perfect - none);
}

export const windowsIn = (files: readonly ScoredFile[]): number =>
  files.reduce((sum, { windows }) => sum + windows.length, 0);

/**
 * The threshold, one for all files, at which alarms earn most; a row alarms if its score reaches it. Of several the highest. Only files that `isCounted` allows
 * are looked at.
 */
export function bestOutcome(
  { files, points }: Corpus,
  profile: Profile,
  isCounted: (file: ScoredFile) => boolean = () => true,
): Outcome {
  const counted = files.map(isCounted);
  const windows = windowsIn(files.filter(isCounted));
  const tally = new Tally(profile, windows);
  let best = { threshold: NO_ALARM, raw: tally.raw };
  let threshold = NO_ALARM;
  for (const point of points) {
    if (counted[point.file] !== true) continue;
    if (point.score < threshold) {
      if (tally.raw > best.raw) best = { threshold, raw: tally.raw };
      threshold = point.score;
    }
    tally.alarm(point);
  }
  if (tally.raw > best.raw) best = { threshold, raw: tally.raw };
  return { ...best, normalized: normalized(best.raw, windows, profile) };
}

/** The raw points of each file, in their order, with alarms where a row's score reaches the threshold. */
export function rawPoints({ files, points }: Corpus, profile: Profile, threshold: number): readonly number[] {
  const tallies = files.map(({ windows }) => new Tally(profile, windows.length));
  for (const point of points) {
    if (point.score < threshold) break;
    tallies[point.file]?.alarm(point);
  }
  return tallies.map(({ raw }) => raw);
}
