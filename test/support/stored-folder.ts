import type { Disk } from '../../src/core/disk.ts';
import type { LogOptions } from '../../src/log/log.ts';
import { textRecord } from './log-on-disk.ts';
import type { SimDisk } from './sim-disk.ts';
import { open, settled } from './small-segments.ts';

/**
 * A data folder that a killed gateway has left: topic `a` with two partitions and so many records in each, one a
 * commit, in turns; the first ones in segments, the last ones in the journal.
 */
export async function storedFolder(
  disk: SimDisk,
  recordsEach: number,
  options: Partial<LogOptions> = {},
): Promise<Disk> {
  const log = await open(disk, options);
  await log.createTopic('a', 2, { segmentBytes: 400, compression: 'none' });
  for (let index = 0; index < recordsEach; index += 1)
    for (const partition of [0, 1])
      await log.append([textRecord('a', `${partition}:${index}`, { partition, timestampMs: 1000 + index })]);
  await settled(disk);
  return disk.session();
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
