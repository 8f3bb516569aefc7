import type { Disk } from '../../src/core/disk.ts';

/** Files by their path. */
export type Files = ReadonlyMap<string, Buffer>;

/** Everything in these folders; a folder of folders is read down to its files. */
export async function readFiles(disk: Disk, ...folders: readonly string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const folder of folders)
    for (const name of [...(await disk.list(folder))].sort()) {
      const path = `${folder}/${name}`;
      const bytes = await readFile(disk, path);
      if (bytes !== undefined) files.set(path, bytes);
      else for (const [inner, content] of await readFiles(disk, path)) files.set(inner, content);
    }
  return files;
}

/** Puts files into folders, durably. */
export async function writeFiles(disk: Disk, files: Files): Promise<void> {
  for (const [path, bytes] of files) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    await disk.makeFolder(folder);
    const file = await disk.create(path);
    await file.writeAt(bytes, 0);
    await file.sync();
    await file.close();
    await disk.syncFolder(folder);
  }
}

/** Removes all files of a folder, durably. */
export async function emptyFolder(disk: Disk, folder: string): Promise<void> {
  for (const name of await disk.list(folder)) await disk.remove(`${folder}/${name}`);
  await disk.syncFolder(folder);
}

/** Undefined for a folder. */
async function readFile(disk: Disk, path: string): Promise<Buffer | undefined> {
  const file = await disk.open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const bytes = Buffer.alloc(await file.size());
  await file.readAt(bytes, 0);
  await file.close();
  return bytes;
}
