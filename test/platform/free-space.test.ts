import { expect, test } from 'vitest';
import { freeBytes } from '../../src/platform/free-space.ts';

test('tells how many bytes may be written here, and rejects where nothing is', async () => {
  expect(await freeBytes('.')).toBeGreaterThan(0);
  await expect(freeBytes('./there/is/no/such/folder')).rejects.toMatchObject({ code: 'ENOENT' });
});
