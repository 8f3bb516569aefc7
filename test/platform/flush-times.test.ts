import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flushTimes } from '../../src/platform/flush-times.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('so many writes are timed as told, none when there is no time, and nothing is left', async () => {
  await using folder = await temporaryFolder();
  const times = await flushTimes(folder.path, { count: 3, blockBytes: 4096, totalMsMax: 60_000 });
  expect(times).toHaveLength(3);
  for (const ms of times) expect(ms).toBeGreaterThan(0);
  expect(await flushTimes(folder.path, { count: 3, blockBytes: 4096, totalMsMax: 0 })).toEqual([]);
  expect(await readdir(folder.path)).toEqual([]);
  const elsewhere = flushTimes(join(folder.path, 'none'), { count: 1, blockBytes: 1, totalMsMax: 1 });
  await expect(elsewhere).rejects.toMatchObject({ code: 'ENOENT' });
});
