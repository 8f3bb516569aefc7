import type { Disk } from '../core/disk.ts';

/** Replaces a small file of the data folder, durably: after a power cut it is the old one or the new one. */
export async function replaceFile(disk: Disk, name: string, bytes: Uint8Array): Promise<void> {
  const newName = `${name}.new`;
  const file = await disk.create(newName);
  try {
    await file.writeAt(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(newName, name);
  await disk.syncFolder('');
}
