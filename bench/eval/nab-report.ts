import type { Random } from '../../src/core/random.ts';
import { readingOf, type Scorer } from './detector.ts';
import type { LabelledSeries } from './nab-corpus.ts';
import { bestOutcome, type Corpus, corpusOf, normalized, type Profile, rawPoints } from './nab-scoring.ts';

const RESAMPLES = 2000;
/** The spread is given as the range in which 90 % of the resampled scores lie. */
const SPREAD_TAIL = 0.05;

/** A share of the files, at the threshold that is best for all. */
export interface Part {
  readonly name: string;
  readonly windows: number;
  readonly raw: number;
  /** Null where there is no window, so that there is no scale. */
  readonly normalized: number | null;
}

export interface NabReport {
  readonly profile: string;
  readonly threshold: number;
  readonly normalized: number;
  /** Files drawn anew from the same, with the threshold as it is. */
  readonly spread: { readonly low: number; readonly high: number };
  readonly folders: readonly Part[];
  readonly files: readonly Part[];
  /** Each folder scored with the threshold that is best for the others. */
  readonly transferred: number;
}

/** The scores of the rows of a series, in order. */
export const scoresOf = (score: Scorer, { rows }: LabelledSeries): Float64Array =>
  Float64Array.from(rows, (row) => score(readingOf(row)));

export const corpusScoredBy = (
  series: readonly LabelledSeries[],
  scores: (one: LabelledSeries) => ArrayLike<number>,
): Corpus => corpusOf(series.map((one) => ({ name: one.name, windows: one.windows, scores: scores(one) })));

const folderOf = ({ name }: { readonly name: string }): string => name.split('/')[0] ?? '';

function partOf(name: string, windows: number, raw: number, profile: Profile): Part {
  return { name, windows, raw, normalized: windows === 0 ? null : normalized(raw, windows, profile) };
}

/** Parts taken together. */
function whole(name: string, parts: readonly Pick<Part, 'windows' | 'raw'>[], profile: Profile): Part {
  const sum = (key: 'windows' | 'raw'): number => parts.reduce((total, part) => total + part[key], 0);
  return partOf(name, sum('windows'), sum('raw'), profile);
}

function filesAt(corpus: Corpus, profile: Profile, threshold: number): readonly Part[] {
  const raws = rawPoints(corpus, profile, threshold);
  return corpus.files.map(({ name, windows }, index) =>
    partOf(name, windows.length, raws[index] ?? 0, profile),
  );
}

/** Each folder at the threshold that is best for the others. */
function transferred(corpus: Corpus, profile: Profile, folders: readonly string[]): Part {
  const files = folders.flatMap((folder) => {
    const { threshold } = bestOutcome(corpus, profile, (file) => folderOf(file) !== folder);
    return filesAt(corpus, profile, threshold).filter((file) => folderOf(file) === folder);
  });
  return whole('transferred', files, profile);
}

function spreadOf(files: readonly Part[], profile: Profile, random: Random): NabReport['spread'] {
  const scores = Array.from({ length: RESAMPLES }, () => {
    const drawn = files.flatMap(() => files[Math.floor(random.next() * files.length)] ?? []);
    return whole('drawn', drawn, profile).normalized ?? 0;
  });
  scores.sort((a, b) => a - b);
  const at = (share: number): number => scores[Math.floor(share * (RESAMPLES - 1))] ?? Number.NaN;
  return { low: at(SPREAD_TAIL), high: at(1 - SPREAD_TAIL) };
}

/** How scored files fare in a profile: all together, by folder and by file, and how sure that is. */
export function reportOf(corpus: Corpus, name: string, profile: Profile, random: Random): NabReport {
  const best = bestOutcome(corpus, profile);
  const files = filesAt(corpus, profile, best.threshold);
  const folders = Map.groupBy(files, folderOf);
  return {
    profile: name,
    threshold: best.threshold,
    normalized: best.normalized,
    spread: spreadOf(files, profile, random),
    folders: [...folders].map(([folder, parts]) => whole(folder, parts, profile)),
    files,
    transferred: transferred(corpus, profile, [...folders.keys()]).normalized ?? Number.NaN,
  };
}
