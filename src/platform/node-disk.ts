import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Disk, DiskFile, ReadableDisk } from '../core/disk.ts';
import { makeFolder } from './make-folder.ts';

/** The real disk below one folder. All calls run in the thread pool; none blocks the event loop. */
export class NodeDisk implements Disk {
  readonly #root: string;

  /** @param root the data folder; made when the first folder in it is. */
  constructor(root: string) {
    this.#root = root;
  }

  async list(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(this.#path(folder));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async makeFolder(folder: string): Promise<void> {
    const path = this.#path(folder);
    // Its own name is synced even if it is there: the process that made it may have died before that.
    const firstMade = (await makeFolder(path)) ?? path;
    for (let made = path; made.length >= firstMade.length; made = dirname(made))
      await syncPath(dirname(made));
  }

  async create(path: string): Promise<DiskFile> {
    // Emptying the old file instead would keep it the target of writes that are still under way.
    await this.remove(path);
    return new NodeFile(await open(this.#path(path), 'wx+'));
  }

  async open(path: string): Promise<DiskFile> {
    return new NodeFile(await open(this.#path(path), 'r+'));
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(this.#path(from), this.#path(to));
  }

  async remove(path: string): Promise<void> {
    await rm(this.#path(path), { force: true });
  }

  async syncFolder(folder: string): Promise<void> {
    await syncPath(this.#path(folder));
  }

  #path(path: string): string {
    return join(this.#root, path);
  }
}

/** The real disk below one folder, for who only reads it: files are not even opened for writing. */
export function readOnlyDisk(root: string): ReadableDisk {
  const disk = new NodeDisk(root);
  return {
    list: (folder) => disk.list(folder),
    open: async (path) => new NodeFile(await open(join(root, path), 'r')),
  };
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async readAt(into: Uint8Array, at: number): Promise<number> {
    let count = 0;
    while (count < into.length) {
      const { bytesRead } = await this.#handle.read(into, count, into.length - count, at + count);
      if (bytesRead === 0) break;
      count += bytesRead;
    }
    return count;
  }

  async writeAt(bytes: Uint8Array, at: number): Promise<void> {
    let count = 0;
    while (count < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, count, bytes.length - count, at + count);
      count += bytesWritten;
    }
  }

  async truncate(lengthBytes: number): Promise<void> {
    await this.#handle.truncate(lengthBytes);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
