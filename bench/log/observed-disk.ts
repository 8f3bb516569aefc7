import { setTimeout as sleep } from 'node:timers/promises';
import type { Disk, DiskFile } from '../../src/core/disk.ts';

/** Who is told what happens on a disk. */
export interface DiskObserver {
  /** Before each sync of a file or folder; the sync waits for it. */
  onFlush?(): void | Promise<void>;
  onCreate?(path: string): void;
  onRename?(to: string): void;
}

export function observedDisk(disk: Disk, observer: DiskObserver): Disk {
  const observedFile = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    readAt: (into, at) => file.readAt(into, at),
    writeAt: (bytes, at) => file.writeAt(bytes, at),
    truncate: (lengthBytes) => file.truncate(lengthBytes),
    close: () => file.close(),
    async sync() {
      await observer.onFlush?.();
      await file.sync();
    },
  });
  return {
    list: (folder) => disk.list(folder),
    makeFolder: (folder) => disk.makeFolder(folder),
    remove: (path) => disk.remove(path),
    open: async (path) => observedFile(await disk.open(path)),
    async create(path) {
      observer.onCreate?.(path);
      return observedFile(await disk.create(path));
    },
    async rename(from, to) {
      observer.onRename?.(to);
      await disk.rename(from, to);
    },
    async syncFolder(folder) {
      await observer.onFlush?.();
      await disk.syncFolder(folder);
    },
  };
}

/** A real flush holds one of the threads of libuv's pool, which has so many: no more wait for the card at once. */
const FLUSHES_AT_ONCE = 4;

/** The same disk behind a card whose flush takes so long. */
export function slowDisk(disk: Disk, flushMs: number): Disk {
  const lanes: Promise<void>[] = Array.from({ length: FLUSHES_AT_ONCE }, () => Promise.resolve());
  let turn = 0;
  return observedDisk(disk, {
    onFlush() {
      const lane = turn++ % FLUSHES_AT_ONCE;
      const flushed = Promise.resolve(lanes[lane]).then(() => sleep(flushMs));
      lanes[lane] = flushed;
      return flushed;
    },
  });
}
