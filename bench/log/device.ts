import { NodeDisk } from '../../src/platform/node-disk.ts';
import { median, type Result, rounded } from '../result.ts';
import type { Contender } from './contender.ts';
import { FileLog } from './file-log.ts';
import { loopDevice } from './loop-device.ts';
import { type PartOptions, partResult, printTable } from './part.ts';
import { Readings } from './readings.ts';
import { SealingLog } from './sealing-log.ts';
import { SqliteLog } from './sqlite-log.ts';

const PARTITIONS = 16;
const READINGS_PER_SECOND = [10, 100, 1000];
const INTERVALS_MS = [20, 100, 1000];
const GOAL = 0.5;
const DEVICE_BYTES = 4 * 1024 ** 3;
/** Until then the log zero-fills files that it recycles from there on. */
const WARM_UP_FILES = 6;
/** Even, as journal files are sealed two at a time when nothing is behind. */
const MEASURED_FILES = 4;
const PEER_WARM_UP_COMMITS = 100;
const PEER_COMMITS = 2000;
const PEER_RECORDS_MAX = 500_000;

interface Pace {
  readonly perSecond: number;
  readonly intervalMs: number;
}

const paces: readonly Pace[] = READINGS_PER_SECOND.flatMap((perSecond) =>
  INTERVALS_MS.map((intervalMs) => ({ perSecond, intervalMs })),
);
const nameOf = ({ perSecond, intervalMs }: Pace): string => `${perSecond}/s, ${intervalMs} ms`;
/** Nothing is committed where nothing came: a reading that comes alone makes a commit. */
const recordsPerCommit = ({ perSecond, intervalMs }: Pace): number =>
  Math.max(1, (perSecond * intervalMs) / 1000);

const candidates: Readonly<Record<string, (pace: Pace) => Promise<number>>> = {
  headwater: measureHeadwater,
  'file per partition': (pace) =>
    measurePeer(pace, (folder) => FileLog.open(new NodeDisk(folder), PARTITIONS)),
  SQLite: (pace) => measurePeer(pace, (folder) => Promise.resolve(new SqliteLog(folder))),
};

/** Bytes that reach the device for each byte of payload. Driven by the number of commits: no time passes in between. */
export async function devicePart({ repeat }: PartOptions): Promise<Result> {
  const figures: Record<string, number> = {};
  const figureName = (name: string, pace: Pace): string =>
    `${name}, ${nameOf(pace)}, device bytes per payload byte`;
  for (const [name, measure] of Object.entries(candidates)) {
    for (const pace of paces) {
      const ratios: number[] = [];
      for (let run = 0; run < repeat; run++) ratios.push(await measure(pace));
      figures[figureName(name, pace)] = rounded(median(ratios));
      console.log(figureName(name, pace), figures[figureName(name, pace)]);
    }
  }
  console.log(
    `Device bytes per payload byte, ${PARTITIONS} partitions; readings per second, commit interval`,
  );
  const names = Object.keys(candidates);
  printTable(
    ['', ...names],
    paces.map((pace) => [nameOf(pace), ...names.map((name) => String(figures[figureName(name, pace)]))]),
  );
  const goalPace = { perSecond: 1000, intervalMs: 1000 };
  const got = figures[figureName('headwater', goalPace)] ?? Number.NaN;
  return partResult(figures, [
    {
      goal: `≤ ${GOAL} device bytes per payload byte at ${nameOf(goalPace)}, sealing included`,
      got: String(got),
      isMet: got <= GOAL,
    },
  ]);
}

async function measureHeadwater(pace: Pace): Promise<number> {
  await using device = await loopDevice(DEVICE_BYTES);
  const log = await SealingLog.open(device.path, PARTITIONS);
  const readings = new Readings(PARTITIONS, pace.perSecond);
  /** At this pace, sealing keeps up. */
  const appendFiles = async (until: number): Promise<void> => {
    while (log.journalFilesBegun < until || log.isSealing) {
      await log.sealed();
      await log.append(readings.next(recordsPerCommit(pace)));
    }
  };
  try {
    await appendFiles(WARM_UP_FILES + 1);
    const before = { device: await device.writtenBytes(), payload: readings.payloadBytes };
    await appendFiles(WARM_UP_FILES + MEASURED_FILES + 1);
    return ((await device.writtenBytes()) - before.device) / (readings.payloadBytes - before.payload);
  } finally {
    await log.close();
  }
}

async function measurePeer(pace: Pace, open: (folder: string) => Promise<Contender>): Promise<number> {
  await using device = await loopDevice(DEVICE_BYTES);
  const peer = await open(device.path);
  const readings = new Readings(PARTITIONS, pace.perSecond);
  const count = recordsPerCommit(pace);
  let before = { device: 0, payload: 0 };
  try {
    for (let commit = 0; commit < PEER_WARM_UP_COMMITS; commit++) await peer.append(readings.next(count));
    before = { device: await device.writtenBytes(), payload: readings.payloadBytes };
    const commits = Math.min(PEER_COMMITS, Math.floor(PEER_RECORDS_MAX / count));
    for (let commit = 0; commit < commits; commit++) await peer.append(readings.next(count));
  } finally {
    await peer.close();
  }
  return ((await device.writtenBytes()) - before.device) / (readings.payloadBytes - before.payload);
}
