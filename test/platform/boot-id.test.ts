import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBootId } from '../../src/platform/boot-id.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('says which start of the machine this is, the same each time', async () => {
  const first = await readBootId(nodeRandom);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(await readBootId(nodeRandom)).toBe(first);
});

test('takes each run for a start where nothing says so', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'boot_id');
  await writeFile(path, 'no id\n');
  const ids = [await readBootId(nodeRandom, path), await readBootId(nodeRandom, join(folder.path, 'absent'))];
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
