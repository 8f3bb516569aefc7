import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { piThrottledBits } from '../../src/platform/pi-power.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the bits of the firmware are read as it writes them, and other machines have none', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'get_throttled');
  expect(await piThrottledBits(path)).toBeNull();
  await writeFile(path, '50005\n');
  expect(await piThrottledBits(path)).toBe(0x50005);
  await writeFile(path, 'unknown\n');
  expect(await piThrottledBits(path)).toBeNull();
});
