import { execFile } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';

const run = promisify(execFile);
const SECTOR_BYTES = 512;
/** Where `/sys/block/<name>/stat` says how many sectors were written. */
const SECTORS_WRITTEN = 6;
/** In memory, so that a flush costs nothing: bytes are counted, not time. */
const MEMORY_FOLDER = '/dev/shm';

/** An ext4 file system on a block device of its own, whose writes the kernel counts: journal and metadata included. */
export interface LoopDevice extends AsyncDisposable {
  readonly path: string;
  /** What the device was told to write since it exists, all that is still in the page cache included. */
  writtenBytes(): Promise<number>;
}

export async function loopDevice(sizeBytes: number): Promise<LoopDevice> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder(MEMORY_FOLDER));
  const image = join(folder.path, 'image');
  const path = join(folder.path, 'mounted');
  await mkdir(path);
  await access('/dev/loop-control').catch(() => {
    throw new Error('this kernel has no loop devices; without them the part `device` cannot be measured');
  });
  await run('truncate', ['-s', String(sizeBytes), image]);
  await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  const device = (
    await run('losetup', ['--find', '--show', image]).catch((cause: unknown) => {
      throw new Error('no loop device could be set up; run the part `device` as root', { cause });
    })
  ).stdout.trim();
  stack.defer(async () => void (await run('losetup', ['-d', device])));
  await run('mount', ['-o', 'noatime', device, path]);
  stack.defer(async () => void (await run('umount', [path])));
  const disposables = stack.move();
  return {
    path,
    async writtenBytes() {
      await run('sync', ['-f', path]);
      const stat = await readFile(`/sys/block/${basename(device)}/stat`, 'utf8');
      return Number(stat.trim().split(/\s+/)[SECTORS_WRITTEN]) * SECTOR_BYTES;
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}
