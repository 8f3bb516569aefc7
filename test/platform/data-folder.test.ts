import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { prepareDataFolder, replaceFile } from '../../src/platform/data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a folder is created with its parents; one that is there is taken as it is', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'a', 'b');
  expect(await prepareDataFolder(path)).toBe(path);
  await writeFile(join(path, 'kept'), '');
  expect(await prepareDataFolder(relative(process.cwd(), path))).toBe(path);
  expect(await readdir(path)).toEqual(['kept']);
});

test('a file in its place is an error that says what to do', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'data');
  await writeFile(file, 'precious');
  for (const path of [file, join(file, 'below')]) {
    const prepared = prepareDataFolder(path);
    await expect(prepared).rejects.toMatchObject({ code: 'data-folder-unusable' });
    await expect(prepared).rejects.toThrow(/cannot use .*data.*Set data\.dir/s);
  }
  expect(await readFile(file, 'utf8')).toBe('precious');
});

test('a file is replaced as a whole, with its mode, also after a crash left a half-written one', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'state.json');
  await writeFile(path, 'old', { mode: 0o644 });
  await writeFile(`${path}.new`, 'half', { mode: 0o644 });
  await replaceFile(path, 'new', 0o600);
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder.path)).toEqual(['state.json']);
});

test('a file that cannot be replaced is an error that says what to do', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'state.json'));
  const replaced = replaceFile(join(folder.path, 'state.json'), 'new', 0o600);
  await expect(replaced).rejects.toMatchObject({ code: 'data-folder-unusable' });
});
