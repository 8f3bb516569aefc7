import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAtMost, readFileAtMost } from '../../src/platform/bounded-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('reading a file within a bound', () => {
  it('gives all of it up to the bound, and nothing above', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'file');
    await writeFile(path, '12345');
    expect((await readAtMost(path, 5))?.toString()).toBe('12345');
    expect(await readAtMost(path, 4)).toBeNull();
    await writeFile(path, '');
    expect((await readAtMost(path, 5))?.length).toBe(0);
  });

  it('ends with what never ends', async () => {
    expect(await readAtMost('/dev/zero', 1000)).toBeNull();
  });

  it('throws what the system says', async () => {
    await using folder = await temporaryFolder();
    await expect(readAtMost(join(folder.path, 'missing'), 5)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('reading what has to be a file', () => {
  it('gives it within the bound', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'file');
    await writeFile(path, '12345');
    expect((await readFileAtMost(path, 5))?.toString()).toBe('12345');
    expect(await readFileAtMost(path, 4)).toBeNull();
    await expect(readFileAtMost(join(folder.path, 'missing'), 5)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a pipe that nobody writes to, a device and a folder', async () => {
    await using folder = await temporaryFolder();
    const [pipe, inner] = [join(folder.path, 'pipe'), join(folder.path, 'inner')];
    execFileSync('mkfifo', [pipe]);
    await mkdir(inner);
    for (const path of [pipe, '/dev/zero', inner])
      await expect(readFileAtMost(path, 5)).rejects.toMatchObject({
        code: 'data-folder-unusable',
        message: `${path} is no file: remove it`,
      });
  });
});
