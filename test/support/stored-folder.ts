import { setImmediate } from 'node:timers/promises';
import type { Disk } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import type { Log, LogOptions } from '../../src/log/log.ts';
import { openLog, textRecord } from './log-on-disk.ts';
import type { SimDisk } from './sim-disk.ts';
import { VirtualClock } from './virtual-time.ts';

const fileBytes = 6 * limits.journalBlockBytes;
/** So many commits of a block each fill a journal file, and one begins the next. */
export const commitsPerFile = 5;

/** A log with journal files of five commits, sealed as soon as there are two of them. */
export const openSmallLog = (disk: SimDisk, options: Partial<LogOptions> = {}): Promise<Log> =>
  openLog(disk.session(), { journalFileBytes: fileBytes, clock: new VirtualClock(), ...options });

/**
 * A data folder that a killed gateway has left: topic `a` with two partitions and so many records in each, one a
 * commit, in turns; the first ones in segments, the last ones in the journal.
 */
export async function storedFolder(
  disk: SimDisk,
  recordsEach: number,
  options: Partial<LogOptions> = {},
): Promise<Disk> {
  const log = await openSmallLog(disk, options);
  await log.createTopic('a', 2, { segmentBytes: 400, compression: 'none' });
  for (let index = 0; index < recordsEach; index += 1)
    for (const partition of [0, 1])
      await log.append([textRecord('a', `${partition}:${index}`, { partition, timestampMs: 1000 + index })]);
  await settled(disk);
  return disk.session();
}

/** Until upkeep has nothing left to do: the disk has been left alone for some turns of the event loop. */
export async function settled(disk: SimDisk): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < 10; ) {
    await setImmediate();
    quiet = disk.operation === seen ? quiet + 1 : 0;
    seen = disk.operation;
  }
}

/** Turns the bits of some bytes of a file over. */
export async function damage(disk: Disk, path: string, position: number, sizeBytes = 1): Promise<void> {
  const file = await disk.open(path);
  const bytes = new Uint8Array(sizeBytes);
  await file.readAt(bytes, position);
  await file.writeAt(
    bytes.map((byte) => byte ^ 0xff),
    position,
  );
  await file.sync();
  await file.close();
}

/** The paths of a folder's files, in order. */
export const pathsIn = async (disk: Pick<Disk, 'list'>, folder: string): Promise<string[]> =>
  [...(await disk.list(folder))].sort().map((name) => `${folder}/${name}`);
