import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { FolderLock } from '../../src/platform/folder-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a folder has one owner at a time, within a process', async () => {
  await using folder = await temporaryFolder();
  const lock = FolderLock.take(folder.path);
  expect(lock).not.toBeNull();
  expect(FolderLock.take(folder.path)).toBeNull();
  lock?.release();
  lock?.release();
  const again = FolderLock.take(folder.path);
  expect(again).not.toBeNull();
  again?.release();
});

test('another process is kept out until the owner dies, however it dies', async () => {
  await using folder = await temporaryFolder();
  const source = new URL('../../src/platform/folder-lock.ts', import.meta.url).href;
  const owner = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `const { FolderLock } = await import(${JSON.stringify(source)});
     // Kept: what nobody holds any more is collected, and the lock with it.
     globalThis.lock = FolderLock.take(${JSON.stringify(folder.path)});
     console.log(globalThis.lock !== null);
     setInterval(() => {}, 1000);`,
  ]);
  try {
    const [output] = await once(owner.stdout, 'data');
    expect(String(output).trim()).toBe('true');
    expect(FolderLock.take(folder.path)).toBeNull();
  } finally {
    owner.kill('SIGKILL');
  }
  await once(owner, 'exit');
  const lock = FolderLock.take(folder.path);
  expect(lock).not.toBeNull();
  lock?.release();
});

test('nothing is ever written, so that a power cut has nothing to damage', async () => {
  await using folder = await temporaryFolder();
  const lock = FolderLock.take(folder.path);
  expect(await readdir(folder.path)).toEqual(['lock.sqlite']);
  expect((await stat(join(folder.path, 'lock.sqlite'))).size).toBe(0);
  lock?.release();
  expect(await readdir(folder.path)).toEqual(['lock.sqlite']);
});

test('a damaged lock file keeps nobody from starting, and still locks', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'lock.sqlite'), 'not a database '.repeat(1000));
  const lock = FolderLock.take(folder.path);
  expect(lock).not.toBeNull();
  expect(FolderLock.take(folder.path)).toBeNull();
  lock?.release();
});

test('a folder that cannot be locked is an error that says what to do', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'lock.sqlite'));
  expect(() => FolderLock.take(folder.path)).toThrow(
    expect.objectContaining({ code: 'data-folder-unusable', message: expect.stringContaining('data.dir') }),
  );
  await vi.waitFor(() => expect(() => FolderLock.take(join(folder.path, 'missing'))).toThrow('missing'));
});

test.each([symlink, link])(
  'a link in its place is refused, and what it leads to stays as it is',
  async (make) => {
    await using folder = await temporaryFolder();
    const [other, data] = [join(folder.path, 'other'), join(folder.path, 'data')];
    await mkdir(data);
    await writeFile(other, 'of somebody else '.repeat(500));
    await make(other, join(data, 'lock.sqlite'));
    expect(() => FolderLock.take(data)).toThrow(/is a link or no file.*remove it/);
    expect(await readFile(other, 'utf8')).toBe('of somebody else '.repeat(500));
  },
);
