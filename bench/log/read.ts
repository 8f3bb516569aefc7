import { NodeDisk } from '../../src/platform/node-disk.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { median, type Result, rounded } from '../result.ts';
import { type Contender, fill } from './contender.ts';
import { FileLog } from './file-log.ts';
import { dropPageCache } from './page-cache.ts';
import { type PartOptions, partResult, printTable } from './part.ts';
import { Readings } from './readings.ts';
import { SealingLog } from './sealing-log.ts';
import { SqliteLog } from './sqlite-log.ts';

const PARTITIONS = 16;
const PAYLOAD_BYTES = 500e6;

const candidates: Readonly<Record<string, (folder: string) => Promise<Contender>>> = {
  headwater: (folder) => SealingLog.open(folder, PARTITIONS),
  'file per partition': (folder) => FileLog.open(new NodeDisk(folder), PARTITIONS),
  SQLite: (folder) => Promise.resolve(new SqliteLog(folder)),
};

/**
 * Reading one partition of sixteen, and all, with nothing of them in the page cache. The newest readings of ours are
 * still in the journal, where those of one partition lie among all others; the more is stored, the less they matter.
 */
export async function readPart({ repeat }: PartOptions): Promise<Result> {
  const figures: Record<string, number> = {};
  const broken: string[] = [];
  const rows: string[][] = [];
  for (const [name, open] of Object.entries(candidates)) {
    await using folder = await temporaryFolder();
    const log = await open(folder.path);
    const readings = new Readings(PARTITIONS, 1000);
    await fill(log, readings, PAYLOAD_BYTES);
    if (log instanceof SealingLog) {
      await log.sealed();
      const share = log.sealedRecords / readings.count;
      figures[`${name}, part of the readings that is in segments`] = rounded(share);
      console.log(`${name}: ${Math.round(share * 100)} % of the readings are in segments`);
    }
    const ones: number[] = [];
    const alls: number[] = [];
    for (let run = 0; run < repeat; run++) {
      ones.push(await measure(log, folder.path, [run % PARTITIONS], readings, broken));
      const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      alls.push(await measure(log, folder.path, all, readings, broken));
    }
    await log.close();
    const [one, all] = [Math.round(median(ones)), Math.round(median(alls))];
    figures[`${name}, one partition of ${PARTITIONS}, MB of readings per second`] = one;
    figures[`${name}, all partitions, MB of readings per second`] = all;
    rows.push([name, String(one), String(all)]);
  }
  console.log('MB of readings per second, cold');
  printTable(['', `one partition of ${PARTITIONS}`, 'all'], rows);
  const got = rows.map(([name, one, all]) => `${name} ${one} and ${all}`).join(', ');
  return partResult(
    figures,
    [{ goal: '- (cold read, MB/s, one partition and all)', got, isMet: true }],
    broken,
  );
}

/** MB of readings per second. */
async function measure(
  log: Contender,
  folder: string,
  partitions: readonly number[],
  readings: Readings,
  broken: string[],
): Promise<number> {
  await dropPageCache(folder);
  const startedMs = performance.now();
  const count = await log.read(partitions);
  const seconds = (performance.now() - startedMs) / 1000;
  const expected = (readings.count * partitions.length) / PARTITIONS;
  // Commits of 1000 do not spread evenly over 16.
  if (Math.abs(count - expected) > PARTITIONS)
    broken.push(`${expected} readings were stored, ${count} are read`);
  return (count * readings.meanBytes) / 1e6 / seconds;
}
