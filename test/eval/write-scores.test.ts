import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCorpus } from '../../bench/eval/nab-corpus.ts';
import { movingAverage } from '../../bench/eval/references.ts';
import { writeScores } from '../../bench/eval/write-scores.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const timestamp = (row: number): string =>
  new Date(row * 300_000).toISOString().replace('T', ' ').replace('.000Z', '');
const series = (count: number): string =>
  `timestamp,value\n${Array.from({ length: count }, (_, row) => `${timestamp(row)},${row === 150 ? 99 : row % 7}\n`).join('')}`;

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

const labels = {
  'labels/combined_windows.json': JSON.stringify({
    'traffic/one.csv': [[`${timestamp(140)}.000000`, `${timestamp(160)}.000000`]],
  }),
  'labels/combined_labels.json': JSON.stringify({ 'traffic/one.csv': [timestamp(150)] }),
  'profiles.json': JSON.stringify({
    standard: { CostMatrix: { tpWeight: 1, fnWeight: 1, fpWeight: 0.11, tnWeight: 1 } },
  }),
};

describe('scores', () => {
  test("are written where the benchmark's own tool looks for them, a line for each row", async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, { 'in/a.csv': series(200), 'in/deep/er/b.csv': series(3) });
    expect(await writeScores(movingAverage, join(folder.path, 'in'), join(folder.path, 'out'))).toBe(2);
    const a = await readFile(join(folder.path, 'out/moving-average/moving-average_a.csv'), 'utf8');
    const lines = a.trimEnd().split('\n');
    expect(lines).toHaveLength(201);
    expect(lines[0]).toBe('timestamp,value,anomaly_score,label');
    expect(lines[1]).toBe('1970-01-01 00:00:00,0,0,0');
    expect(lines[151]).toMatch(/^1970-01-01 12:30:00,99,0\.9\d+,0$/);
    const b = await readFile(join(folder.path, 'out/moving-average/deep/er/moving-average_b.csv'), 'utf8');
    expect(b.trimEnd().split('\n')).toHaveLength(4);
  });

  test('have the label 1 within windows, if the labels are beside the folder', async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, {
      ...labels,
      'data/traffic/one.csv': series(200),
      'data/traffic/two.csv': series(200),
    });
    await writeScores(movingAverage, join(folder.path, 'data'), join(folder.path, 'out'));
    const labelled = async (name: string) => {
      const path = join(folder.path, 'out/moving-average/traffic', `moving-average_${name}.csv`);
      const rows = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1);
      return rows.flatMap((line, row) => (line.endsWith(',1') ? [row] : []));
    };
    expect(await labelled('one')).toEqual(Array.from({ length: 21 }, (_, at) => 140 + at));
    expect(await labelled('two')).toEqual([]);
  });

  test('are refused where a line is no reading, by file and line', async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, { 'in/a.csv': `${series(5)}now,1\n` });
    const writing = writeScores(movingAverage, join(folder.path, 'in'), join(folder.path, 'out'));
    await expect(writing).rejects.toThrow(/in\/a\.csv:7: the line has no timestamp/);
  });
});

describe('the benchmark', () => {
  test('is read as its repository keeps it', async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, { ...labels, 'data/traffic/one.csv': series(200) });
    const { series: all = [], profiles } = (await readCorpus(folder.path)) ?? {};
    expect(all.map(({ name, windows, anomalies }) => ({ name, windows, anomalies }))).toEqual([
      { name: 'traffic/one.csv', windows: [{ first: 140, last: 160 }], anomalies: [150] },
    ]);
    expect(profiles?.get('standard')).toEqual({ truePositive: 1, falsePositive: 0.11, falseNegative: 1 });
  });

  test('is not there where a folder has no labels', async () => {
    await using folder = await temporaryFolder();
    expect(await readCorpus(folder.path)).toBeNull();
  });

  test('is refused where a label is at no row', async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, { ...labels, 'data/traffic/one.csv': series(100) });
    await expect(readCorpus(folder.path)).rejects.toThrow(/traffic\/one\.csv: no row at 1970-01-01T11:40:00/);
  });
});
