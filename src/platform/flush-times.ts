import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes a block over itself in a small file of its own in the folder, and makes it durable, so many times as told, or until the time is
 * over. Says how long each took, in milliseconds; the file is gone then.
 * @throws the error of the operating system
 */
export async function flushTimes(
  folder: string,
  {
    count,
    blockBytes,
    totalMsMax,
  }: { readonly count: number; readonly blockBytes: number; readonly totalMsMax: number },
): Promise<readonly number[]> {
  const path = join(folder, `doctor-${process.pid}.tmp`);
  const block = Buffer.alloc(blockBytes, 1);
  const file = await open(path, 'wx', 0o600);
  try {
    // The first one allocates the block, which a commit of the journal need not.
    await file.write(block, 0, blockBytes, 0);
    await file.sync();
    const times: number[] = [];
    const beginMs = performance.now();
    while (times.length < count && performance.now() - beginMs < totalMsMax) {
      const startMs = performance.now();
      await file.write(block, 0, blockBytes, 0);
      await file.datasync();
      times.push(performance.now() - startMs);
    }
    return times;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
