import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DeviceLife, StorageDevice } from '../core/storage-device.ts';

/** A sector of `/sys/block/…/stat`, whatever those of the device are. */
const statSectorLength = 512;
/** The field of `stat` that counts sectors written. */
const statSectorsWritten = 6;

/**
 * What Linux says now of the block device under `folder`: of the partition if it is one, of the card for its life.
 * Null if there is none or nothing can be read, as on other systems.
 * @param system where the system is mounted and where sysfs is; others in tests only
 */
export async function linuxStorageDevice(
  folder: string,
  system = { root: '/', sysfs: '/sys' },
): Promise<StorageDevice | null> {
  try {
    const [device, systemDevice] = await Promise.all([deviceNumber(folder), deviceNumber(system.root)]);
    // A link into the tree of devices; file systems without a block device have numbers that are not there.
    const path = await realpath(join(system.sysfs, 'dev', 'block', device));
    const fields = (await readFile(join(path, 'stat'), 'utf8')).trim().split(/\s+/);
    const bytesWritten = Number(fields[statSectorsWritten]) * statSectorLength;
    if (!Number.isSafeInteger(bytesWritten)) return null;
    const life = await deviceLife(await physicalDisk(path));
    return { name: basename(path), isShared: device === systemDevice, bytesWritten, life };
  } catch {
    return null;
  }
}

/** `major:minor` of the device that the file system says it is on. */
async function deviceNumber(path: string): Promise<string> {
  const { dev } = await stat(path, { bigint: true });
  // The layout of Linux' dev_t as the C library has it.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** From a partition, or a mapped device on just one other (an encrypted one, say), to the disk below. */
async function physicalDisk(path: string): Promise<string> {
  const names = await readdir(path);
  if (names.includes('partition')) return dirname(path);
  const slaves = names.includes('slaves') ? await readdir(join(path, 'slaves')) : [];
  const [only] = slaves;
  if (only === undefined || slaves.length > 1) return path;
  // Sysfs has no circles: each step is one layer down.
  return await physicalDisk(await realpath(join(path, 'slaves', only)));
}

const reserves = [null, 'normal', 'low', 'nearly used up'] as const;

async function deviceLife(disk: string): Promise<DeviceLife | null> {
  const read = (name: string): Promise<string> =>
    readFile(join(disk, 'device', name), 'utf8').catch(() => '');
  const [lifeTime, endOfLife] = await Promise.all([read('life_time'), read('pre_eol_info')]);
  // Two bytes in hexadecimal, one for each type of memory, in tenths of the life; 0 if it does not say.
  const tenths = lifeTime.trim().split(/\s+/).map(Number);
  const usedTenths = Math.max(...tenths);
  if (!(usedTenths >= 1 && usedTenths <= 11)) return null;
  return { usedShareMax: usedTenths / 10, reserve: reserves[Number(endOfLife.trim())] ?? null };
}
