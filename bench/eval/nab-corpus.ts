import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listSeries, NotASeriesError, parseTimestamp, type Row, readRows } from './csv-series.ts';
import type { Profile, Window } from './nab-scoring.ts';

/** A series of the benchmark, with what its people labelled. */
export interface LabelledSeries {
  /** As in `realTraffic/occupancy_t4013.csv`. */
  readonly name: string;
  readonly rows: readonly Row[];
  readonly windows: readonly Window[];
  /** The rows around which the windows were laid. */
  readonly anomalies: readonly number[];
}

export interface LabelledCorpus {
  readonly series: readonly LabelledSeries[];
  readonly profiles: ReadonlyMap<string, Profile>;
}

export type WindowTimes = ReadonlyMap<string, readonly (readonly [startMs: number, endMs: number])[]>;

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** The labelled windows by the name of their series, or null if there is no such file. */
export async function readWindowTimes(path: string): Promise<WindowTimes | null> {
  try {
    const windows = JSON.parse(await readFile(path, 'utf8')) as Record<string, [string, string][]>;
    return new Map(
      Object.entries(windows).map(([name, times]) => [
        name,
        times.map(([start, end]) => [parseTimestamp(start), parseTimestamp(end)] as const),
      ]),
    );
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function rowAt(rows: readonly Row[], timeMs: number, name: string): number {
  const row = rows.findIndex((candidate) => candidate.timeMs === timeMs);
  if (row < 0)
    throw new NotASeriesError(`${name}: no row at ${new Date(timeMs).toISOString()}, which is labelled`);
  return row;
}

async function readProfiles(path: string): Promise<ReadonlyMap<string, Profile>> {
  const content = JSON.parse(await readFile(path, 'utf8')) as Record<
    string,
    { CostMatrix: { tpWeight: number; fpWeight: number; fnWeight: number } }
  >;
  return new Map(
    Object.entries(content).map(
      ([
        name,
        {
          CostMatrix: { tpWeight, fpWeight, fnWeight },
        },
      ]) => [name, { truePositive: tpWeight, falsePositive: fpWeight, falseNegative: fnWeight }],
    ),
  );
}

/** The benchmark as its repository keeps it: `data`, `labels` and the profiles; or null if there is none in the folder. */
export async function readCorpus(folder: string): Promise<LabelledCorpus | null> {
  const windows = await readWindowTimes(join(folder, 'labels/combined_windows.json'));
  if (windows === null) return null;
  const labels = JSON.parse(await readFile(join(folder, 'labels/combined_labels.json'), 'utf8')) as Record<
    string,
    string[]
  >;
  const series: LabelledSeries[] = [];
  for (const name of await listSeries(join(folder, 'data'))) {
    const rows = await Array.fromAsync(readRows(join(folder, 'data', name)));
    const at = (timeMs: number): number => rowAt(rows, timeMs, name);
    series.push({
      name,
      rows,
      windows: (windows.get(name) ?? []).map(([start, end]) => ({ first: at(start), last: at(end) })),
      anomalies: (labels[name] ?? []).map((text) => at(parseTimestamp(text))),
    });
  }
  return { series, profiles: await readProfiles(join(folder, 'profiles.json')) };
}
