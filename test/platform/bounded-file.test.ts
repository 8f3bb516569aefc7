import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAtMost } from '../../src/platform/bounded-file.ts';
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
