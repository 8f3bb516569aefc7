import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStoppedFolder } from '../../src/edge/stopped-folder.ts';
import { FolderLock } from '../../src/platform/folder-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function folderWithLog() {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, 'journal'));
  await writeFile(join(folder.path, 'journal', '00000000000000000001.journal'), '');
  return folder;
}

test('nobody else can work on a data folder while it is read, but then again, also after an error', async () => {
  await using folder = await folderWithLog();
  for (const failure of [undefined, new Error('x')]) {
    const reading = readStoppedFolder(folder.path, async () => {
      expect(FolderLock.take(folder.path)).toBeNull();
      if (failure !== undefined) throw failure;
      return await Promise.resolve('read');
    });
    if (failure === undefined) expect(await reading).toBe('read');
    else await expect(reading).rejects.toBe(failure);
    const lock = FolderLock.take(folder.path);
    expect(lock).not.toBeNull();
    lock?.release();
  }
});

test('what is read is not opened for writing, and an error of the disk says what cannot be read', async () => {
  await using folder = await folderWithLog();
  await readStoppedFolder(folder.path, async (disk) => {
    const file = await disk.open('journal/00000000000000000001.journal');
    const write = (file as unknown as { writeAt(bytes: Uint8Array, at: number): Promise<void> }).writeAt;
    await expect(write.call(file, new Uint8Array(1), 0)).rejects.toMatchObject({ code: 'EBADF' });
    await file.close();
  });
  const reading = readStoppedFolder(folder.path, async (disk) => await disk.open('journal/none'));
  await expect(reading).rejects.toMatchObject({
    code: 'data-folder-unusable',
    message: expect.stringContaining('ENOENT'),
  });
});

test('a folder without a log is told, and nothing is put into it', async () => {
  await using folder = await temporaryFolder();
  await expect(readStoppedFolder(folder.path, () => Promise.resolve())).rejects.toMatchObject({
    code: 'data-folder-unusable',
    message: expect.stringContaining('there is no log in'),
  });
  expect(await readdir(folder.path)).toEqual([]);
});
