import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const script = fileURLToPath(new URL('../../bench/eval/run.ts', import.meta.url));

interface Ended {
  readonly exitCode: number;
  readonly out: string;
  readonly errors: string;
}

const evaluation = (...options: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [script, ...options], (error, out, errors) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, out, errors });
    });
  });

const timestamp = (row: number): string =>
  new Date(row * 300_000).toISOString().replace('T', ' ').slice(0, 19);
const series = (count: number): string =>
  `timestamp,value\n${Array.from({ length: count }, (_, row) => `${timestamp(row)},${(row * row) % 17}\n`).join('')}`;

async function benchmarkIn(folder: string): Promise<void> {
  for (const name of ['data/a', 'labels']) await mkdir(join(folder, name), { recursive: true });
  const profile = { CostMatrix: { tpWeight: 1, fnWeight: 1, fpWeight: 0.11, tnWeight: 1 } };
  await writeFile(join(folder, 'data/a/b.csv'), series(2000));
  await writeFile(join(folder, 'profiles.json'), JSON.stringify({ standard: profile }));
  const window = [timestamp(1500), timestamp(1600)];
  await writeFile(join(folder, 'labels/combined_windows.json'), JSON.stringify({ 'a/b.csv': [window] }));
  await writeFile(
    join(folder, 'labels/combined_labels.json'),
    JSON.stringify({ 'a/b.csv': [timestamp(1550)] }),
  );
}

test('an evaluation without data says where they come from, and ends with 2', async () => {
  await using folder = await temporaryFolder();
  const { exitCode, errors } = await evaluation('--data', folder.path);
  expect(exitCode).toBe(2);
  expect(errors).toContain(folder.path);
  expect(errors).toContain('numenta/NAB');
});

test('an evaluation ends with one line of goal and result', async () => {
  await using folder = await temporaryFolder();
  await benchmarkIn(folder.path);
  const { out } = await evaluation('--data', folder.path);
  const last = out.trimEnd().split('\n').at(-1);
  expect(last).toMatch(/^goal .*, got .*NAB standard .*stuck-at \d+/);
});

test('scores are written for each series of a folder, and it says where', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'one.csv'), series(20));
  const { exitCode, out } = await evaluation('--csv', folder.path, '--out', join(folder.path, 'results'));
  expect(exitCode).toBe(0);
  const [, into = ''] = /wrote the scores of 1 series into (.*)\n/.exec(out) ?? [];
  const name = into.split('/').at(-1);
  const lines = (await readFile(join(into, `${name}_one.csv`), 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(21);
});

test('a file that is no series is told by file and line, with exit code 1', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'one.csv'), 'timestamp,value\n2014-04-01 00:00:00,warm\n');
  const { exitCode, errors } = await evaluation('--csv', folder.path, '--out', join(folder.path, 'results'));
  expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: expect.stringContaining('one.csv:2: ') });
});

test.each([
  [['--csv', '.'], 'npm run eval'],
  [['--cvs', '.'], "'--cvs'"],
  [['--csv', 'no/such/folder', '--out', '.'], 'no/such/folder'],
])('what cannot be done ends with 2: %j', async (options, text) => {
  const { exitCode, errors } = await evaluation(...options);
  expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: expect.stringContaining(text) });
});
