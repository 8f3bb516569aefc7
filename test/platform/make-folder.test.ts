import { readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, whyNoFolder } from '../../src/platform/make-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a folder is made with its parents and their rights, and the highest that was made is told', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'a', 'b', 'c');
  expect(await makeFolder(path, 0o700)).toBe(join(folder.path, 'a'));
  expect((await stat(join(folder.path, 'a'))).mode & 0o777).toBe(0o700);
  expect(await makeFolder(path)).toBeNull();
  await symlink(path, join(folder.path, 'link'));
  expect(await makeFolder(join(folder.path, 'link'))).toBeNull();
});

test('two who make one folder at the same time both succeed', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'a', 'b', 'c');
  await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)));
  expect(await readdir(path)).toEqual([]);
});

test('what no folder can be made of is an error, and known beforehand without a trace', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'file');
  await writeFile(file, '');
  for (const path of [file, join(file, 'below', 'it')]) await expect(makeFolder(path)).rejects.toThrow();
  expect(await whyNoFolder(join(file, 'below', 'it'))).toBe(`${file} takes no folders (ENOTDIR)`);
  expect(await whyNoFolder('/proc/x/y')).toMatch(/ENOENT|EACCES/);
  expect(await whyNoFolder(join(folder.path, 'x', 'y'))).toBeNull();
  expect(await readdir(folder.path)).toEqual(['file']);
});
