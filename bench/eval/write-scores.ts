import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { listSeries, readRows } from './csv-series.ts';
import { type Detector, readingOf } from './detector.ts';
import { readWindowTimes, type WindowTimes } from './nab-corpus.ts';

/** So many digits of a score that results need not be larger than what they are about. */
const SCORE_DIGITS = 6;

/** Where the result of a series is, as the benchmark's own tool looks for it below its folder of results. */
export function resultPath(detector: string, series: string): string {
  return posix.join(detector, posix.dirname(series), `${detector}_${posix.basename(series)}`);
}

async function* scoredLines(detector: Detector, path: string, windows: WindowTimes | null, series: string) {
  const labelled = windows?.get(series) ?? [];
  const score = detector.newScorer();
  yield 'timestamp,value,anomaly_score,label\n';
  for await (const row of readRows(path)) {
    const isLabelled = labelled.some(([startMs, endMs]) => row.timeMs >= startMs && row.timeMs <= endMs);
    const digits = Number(score(readingOf(row)).toFixed(SCORE_DIGITS));
    yield `${row.timestamp},${row.value},${digits},${isLabelled ? 1 : 0}\n`;
  }
}

/**
 * Writes the score of each row of each CSV file of a folder and below, in the layout of the benchmark's results. Windows are taken from `labels/combined_windows.json`
 * beside the folder, if it is there. The number of files. Throws NotASeriesError.
 */
export async function writeScores(detector: Detector, from: string, to: string): Promise<number> {
  const windows = await readWindowTimes(join(from, '../labels/combined_windows.json'));
  const names = await listSeries(from);
  for (const name of names) {
    const path = join(to, resultPath(detector.name, name));
    await mkdir(dirname(path), { recursive: true });
    await pipeline(scoredLines(detector, join(from, name), windows, name), createWriteStream(path));
  }
  return names.length;
}
