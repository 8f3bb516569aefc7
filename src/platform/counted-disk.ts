import type { Disk, DiskFile } from '../core/disk.ts';
import type { Metrics } from '../core/metrics.ts';

/** The same disk, with its syncs counted in `headwater_disk_syncs_total`. */
export function countSyncs(disk: Disk, metrics: Metrics): Disk {
  const countFile = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    readAt: (into, at) => file.readAt(into, at),
    writeAt: (bytes, at) => file.writeAt(bytes, at),
    truncate: (lengthBytes) => file.truncate(lengthBytes),
    close: () => file.close(),
    sync() {
      metrics.add('headwater_disk_syncs_total', 1, { kind: 'fdatasync' });
      return file.sync();
    },
  });
  return {
    list: (folder) => disk.list(folder),
    makeFolder: (folder) => disk.makeFolder(folder),
    create: async (path) => countFile(await disk.create(path)),
    open: async (path) => countFile(await disk.open(path)),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncFolder(folder) {
      metrics.add('headwater_disk_syncs_total', 1, { kind: 'fsync' });
      return disk.syncFolder(folder);
    },
  };
}
