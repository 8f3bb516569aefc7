import { NodeDisk } from '../../src/platform/node-disk.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { median, type Result } from '../result.ts';
import type { Contender } from './contender.ts';
import { FileLog } from './file-log.ts';
import { HeadwaterLog } from './headwater-log.ts';
import { slowDisk } from './observed-disk.ts';
import { type PartOptions, partResult, printTable } from './part.ts';
import { Readings } from './readings.ts';
import { SqliteLog } from './sqlite-log.ts';

const PARTITIONS = [1, 8, 64];
const RECORDS_PER_COMMIT = [1, 100, 1000];
const FLUSH_MS = 20;
const GOAL_PER_SECOND = 30_000;
/** Rates at most so far apart are called flat. */
const GOAL_SPREAD = 1.25;
/** So little that our log has nothing to seal yet: what sealing costs is a part of its own. */
const RECORDS_MAX = 100_000;
const WARM_UP_COMMITS = 3;
/** Made before the time runs, and appended in turn. */
const READY_COMMITS = 16;

interface Candidate {
  readonly name: string;
  open(folder: string, partitions: number): Promise<Contender>;
}

const slow = (folder: string) => slowDisk(new NodeDisk(folder), FLUSH_MS);
const slowly = `at ${FLUSH_MS} ms per flush`;
const candidates: readonly Candidate[] = [
  { name: 'headwater', open: (folder, count) => HeadwaterLog.open(new NodeDisk(folder), count) },
  { name: 'file per partition', open: (folder, count) => FileLog.open(new NodeDisk(folder), count) },
  { name: 'SQLite', open: (folder) => Promise.resolve(new SqliteLog(folder)) },
  { name: `headwater ${slowly}`, open: (folder, count) => HeadwaterLog.open(slow(folder), count) },
  { name: `file per partition ${slowly}`, open: (folder, count) => FileLog.open(slow(folder), count) },
];

const cells = PARTITIONS.flatMap((partitions) =>
  RECORDS_PER_COMMIT.map((records) => ({ partitions, records, name: `P${partitions} C${records}` })),
);

/** Records per second by partitions and records per commit, with one commit at a time. */
export async function appendPart({ seconds, repeat }: PartOptions): Promise<Result> {
  const figures: Record<string, number> = {};
  const broken: string[] = [];
  const rateOf = (name: string, partitions: number, records: number): number =>
    figures[figureName(name, partitions, records)] ?? Number.NaN;
  for (const candidate of candidates) {
    for (const { partitions, records } of cells) {
      const rates: number[] = [];
      for (let run = 0; run < repeat; run++)
        rates.push(await measure(candidate, partitions, records, seconds, broken));
      figures[figureName(candidate.name, partitions, records)] = Math.round(median(rates));
    }
  }
  console.log('Records per second; P: partitions, C: records per commit');
  printTable(
    ['', ...cells.map(({ name }) => name)],
    candidates.map(({ name }) => [
      name,
      ...cells.map(({ partitions, records }) => String(rateOf(name, partitions, records))),
    ]),
  );
  const ours = PARTITIONS.map((partitions) => rateOf(`headwater ${slowly}`, partitions, 1000));
  const most = rateOf(`headwater ${slowly}`, 64, 1000);
  const peer = rateOf(`file per partition ${slowly}`, 64, 1000);
  const spread = Math.max(...ours) / Math.min(...ours);
  const goals = [
    {
      goal: `≥ ${GOAL_PER_SECOND}/s at 64 partitions, 1000 per commit, ${slowly}`,
      got: `${most}/s (file per partition ${peer}/s)`,
      isMet: most >= GOAL_PER_SECOND,
    },
    {
      goal: `flat in partitions (fastest ≤ ${GOAL_SPREAD} × slowest)`,
      got: `${spread.toFixed(2)} ×`,
      isMet: spread <= GOAL_SPREAD,
    },
  ];
  return partResult(figures, goals, broken);
}

const figureName = (name: string, partitions: number, records: number): string =>
  `${name}, ${partitions} partitions, ${records} per commit, records per second`;

async function measure(
  { name, open }: Candidate,
  partitions: number,
  recordsPerCommit: number,
  seconds: number,
  broken: string[],
): Promise<number> {
  await using folder = await temporaryFolder();
  const contender = await open(folder.path, partitions);
  const readings = new Readings(partitions, 1000);
  const ready = Array.from({ length: READY_COMMITS }, () => readings.next(recordsPerCommit));
  let commits = 0;
  const commit = async (): Promise<void> => {
    await contender.append(ready[commits % READY_COMMITS] ?? []);
    commits += 1;
  };
  while (commits < WARM_UP_COMMITS) await commit();
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  while (elapsedMs() < seconds * 1000 && commits * recordsPerCommit < RECORDS_MAX) await commit();
  const rate = ((commits - WARM_UP_COMMITS) * recordsPerCommit * 1000) / elapsedMs();
  const stored = await contender.read(Array.from({ length: partitions }, (_, partition) => partition));
  await contender.close();
  if (stored !== commits * recordsPerCommit)
    broken.push(`${name}: ${commits * recordsPerCommit} records were made durable, ${stored} are read back`);
  return rate;
}
