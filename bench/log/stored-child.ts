import { statfs } from 'node:fs/promises';
import { noMetrics } from '../../src/core/metrics.ts';
import { WorkerSealer } from '../../src/edge/worker-sealer.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { openLog, readPartitions } from './headwater-log.ts';
import { Readings } from './readings.ts';
import { SealingLog } from './sealing-log.ts';

/*
 * A process that holds a log, so that it can be killed and its memory measured. `fill <folder> <bytes>` stores so much
 * and goes on appending until it is killed; `open <folder>` opens the log and reads everything.
 */

const PARTITIONS = 16;

/** What it tells its parent. */
export type StoredMessage =
  | { readonly kind: 'stored'; readonly records: number }
  | { readonly kind: 'opened'; readonly ms: number; readonly rssBytes: number }
  | { readonly kind: 'read'; readonly records: number; readonly rssBytesMax: number };

const RECORDS_PER_COMMIT = 4000;
/** Made once and appended in turn: making them takes longer than storing them. */
const READY_COMMITS = 8;

const tell = (message: StoredMessage): void => void process.send?.(message);

async function fill(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes * 1.5) throw new Error(`${folder} has no room for ${bytes} bytes`);
  // Not compressed, so that what is stored is as large on the disk as it is said to be.
  const log = await SealingLog.open(folder, PARTITIONS, { compression: 'none' });
  const readings = new Readings(PARTITIONS, 1000);
  const ready = Array.from({ length: READY_COMMITS }, () => readings.next(RECORDS_PER_COMMIT));
  const commitBytes = readings.payloadBytes / READY_COMMITS;
  let commits = 0;
  const commit = async (): Promise<void> => {
    await log.append(ready[commits % READY_COMMITS] ?? []);
    commits += 1;
  };
  while (commits * commitBytes < bytes) await commit();
  await log.sealed();
  tell({ kind: 'stored', records: commits * RECORDS_PER_COMMIT });
  for (;;) await commit();
}

async function open(folder: string): Promise<void> {
  const startedMs = performance.now();
  const log = await openLog(new NodeDisk(folder), { sealer: new WorkerSealer(folder, noMetrics) });
  tell({
    kind: 'opened',
    ms: performance.now() - startedMs,
    rssBytes: process.memoryUsage.rss(),
  });
  const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  const records = await readPartitions(log, all);
  tell({ kind: 'read', records, rssBytesMax: process.resourceUsage().maxRSS * 1024 });
}

const [what, folder = '', bytes] = process.argv.slice(2);
if (what === 'fill') await fill(folder, Number(bytes));
else await open(folder);
