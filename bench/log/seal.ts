import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { median, type Result, rounded } from '../result.ts';
import { fill } from './contender.ts';
import { type PartOptions, partResult, printTable } from './part.ts';
import { Readings, topic } from './readings.ts';
import { SealingLog } from './sealing-log.ts';

const PARTITIONS = 16;
const GB = 1e9;
/** 1000 readings per second, one commit in flight. */
const PACE_MS = 5;
const PACE_RECORDS = 5;
const GOAL_RATIO = 2;
const POLL_MS = 2;
const DROPPED_MS_MAX = 60_000;

interface Measured {
  readonly quietP99Ms: number;
  readonly sealingP99Ms: number;
  readonly quietLoopDelayP99Ms: number;
  readonly sealingLoopDelayP99Ms: number;
  readonly sealSecondsPerGb: number;
  readonly filesPerGb: number;
  readonly flushesPerGb: number;
  readonly megabytesPerGb: number;
  readonly dropDurableMs: number;
  readonly dropDoneMs: number;
}

const labels: Readonly<Record<keyof Measured, string>> = {
  quietP99Ms: 'commit p99 without sealing, ms',
  sealingP99Ms: 'commit p99 while sealing, ms',
  quietLoopDelayP99Ms: 'event loop delay p99 without sealing, ms',
  sealingLoopDelayP99Ms: 'event loop delay p99 while sealing, ms',
  sealSecondsPerGb: 'sealing 1 GB of readings, seconds',
  filesPerGb: 'segments per GB of readings',
  flushesPerGb: 'flushes of sealing per GB of readings',
  megabytesPerGb: 'MB in segments per GB of readings',
  dropDurableMs: 'deleting a topic of 1 GB of readings: durable, ms',
  dropDoneMs: 'deleting a topic of 1 GB of readings: files gone, ms',
};

/** What sealing costs those who commit meanwhile, and the device; and what it costs to drop it all. */
export async function sealPart({ seconds, repeat }: PartOptions): Promise<Result> {
  const runs: Measured[] = [];
  for (let run = 0; run < repeat; run++) runs.push(await measure(seconds));
  const keys = Object.keys(labels) as (keyof Measured)[];
  const of = (key: keyof Measured): number => rounded(median(runs.map((run) => run[key])));
  const ratio = median(runs.map(({ sealingP99Ms, quietP99Ms }) => sealingP99Ms / quietP99Ms));
  printTable(
    ['', 'median'],
    keys.map((key) => [labels[key], String(of(key))]),
  );
  const figures = Object.fromEntries(keys.map((key) => [labels[key], of(key)]));
  return partResult({ ...figures, 'commit p99 while sealing / without': rounded(ratio) }, [
    {
      goal: `commit p99 while sealing ≤ ${GOAL_RATIO} × without`,
      got: `${ratio.toFixed(2)} × (${of('sealingP99Ms')} ms and ${of('quietP99Ms')} ms)`,
      isMet: ratio <= GOAL_RATIO,
    },
  ]);
}

async function measure(seconds: number): Promise<Measured> {
  await using folder = await temporaryFolder();
  const log = await SealingLog.open(folder.path, PARTITIONS);
  try {
    log.holdSealing();
    const readings = new Readings(PARTITIONS, 1000);
    await fill(log, readings, GB);
    const untilMs = performance.now() + seconds * 1000;
    const quiet = await commitAtPace(log, readings, () => performance.now() < untilMs);
    const startedMs = performance.now();
    log.resumeSealing();
    const sealing = await commitAtPace(log, readings, () => log.isSealing);
    const sealSeconds = (performance.now() - startedMs) / 1000;
    const sealedGb = (log.sealedRecords * readings.meanBytes) / GB;
    const sizes = await segmentSizes(folder.path);
    return {
      quietP99Ms: quiet.p99Ms,
      sealingP99Ms: sealing.p99Ms,
      quietLoopDelayP99Ms: quiet.loopDelayP99Ms,
      sealingLoopDelayP99Ms: sealing.loopDelayP99Ms,
      sealSecondsPerGb: sealSeconds / sealedGb,
      filesPerGb: sizes.length / sealedGb,
      flushesPerGb: log.sealing.of('headwater_disk_syncs_total') / sealedGb,
      megabytesPerGb: sizes.reduce((sum, bytes) => sum + bytes, 0) / 1e6 / sealedGb,
      ...(await measureDrop(log, folder.path)),
    };
  } finally {
    await log.close();
  }
}

/** Appends a few readings now and again, and one commit at a time, for as long as `goesOn` says. */
async function commitAtPace(
  log: SealingLog,
  readings: Readings,
  goesOn: () => boolean,
): Promise<{ p99Ms: number; loopDelayP99Ms: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const commitsMs: number[] = [];
  for (let dueMs = performance.now(); goesOn(); dueMs += PACE_MS) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const records = readings.next(PACE_RECORDS);
    const startedMs = performance.now();
    await log.append(records);
    commitsMs.push(performance.now() - startedMs);
  }
  delays.disable();
  const sorted = commitsMs.toSorted((a, b) => a - b);
  const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  return { p99Ms, loopDelayP99Ms: delays.percentile(99) / 1e6 };
}

/** Deletes the topic: how long until that is durable, and until its files are gone. */
async function measureDrop(
  log: SealingLog,
  folder: string,
): Promise<{ dropDurableMs: number; dropDoneMs: number }> {
  const startedMs = performance.now();
  await log.log.deleteTopic(topic);
  const dropDurableMs = performance.now() - startedMs;
  while ((await segmentSizes(folder)).length > 0) {
    if (performance.now() - startedMs > DROPPED_MS_MAX) throw new Error('the segments are still there');
    await sleep(POLL_MS);
  }
  return { dropDurableMs, dropDoneMs: performance.now() - startedMs };
}

/** The segments in a data folder, by their sizes in bytes. */
async function segmentSizes(folder: string): Promise<number[]> {
  const entries = await readdir(join(folder, 'topics'), { recursive: true, withFileTypes: true });
  const sizes: number[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    if (found !== undefined) sizes.push(found.size);
  }
  return sizes;
}
