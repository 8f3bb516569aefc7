import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Makes the kernel forget what it has of the files in a folder, so that they are read from the device. */
export async function dropPageCache(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const of = `of=${join(entry.parentPath, entry.name)}`;
    // With a count of 0, `dd` writes nothing and lets go of the pages of the whole file.
    await promisify(execFile)('dd', [of, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']);
  }
}
