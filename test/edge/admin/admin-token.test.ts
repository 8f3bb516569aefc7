import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { carriesToken, loadAdminToken } from '../../../src/edge/admin/admin-token.ts';
import { nodeRandom } from '../../../src/platform/node-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('the token is made once, 32 random bytes that only the owner can read', async () => {
  await using folder = await temporaryFolder();
  const token = await loadAdminToken(folder.path, nodeRandom);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(join(folder.path, 'admin.token'))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(folder.path, 'admin.token'), 'utf8')).trim()).toBe(token);
  expect(await loadAdminToken(folder.path, nodeRandom)).toBe(token);
  await using other = await temporaryFolder();
  expect(await loadAdminToken(other.path, nodeRandom)).not.toBe(token);
});

test.each(['', 'short\n', 'G'.repeat(64)])('a file that holds "%s" instead is replaced', async (content) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'admin.token'), content);
  expect(await loadAdminToken(folder.path, nodeRandom)).toMatch(/^[0-9a-f]{64}$/);
});

test('a file that others may read is closed to them, with the same token', async () => {
  await using folder = await temporaryFolder();
  const token = await loadAdminToken(folder.path, nodeRandom);
  await chmod(join(folder.path, 'admin.token'), 0o644);
  expect(await loadAdminToken(folder.path, nodeRandom)).toBe(token);
  expect((await stat(join(folder.path, 'admin.token'))).mode & 0o777).toBe(0o600);
});

test('only the whole token after "Bearer" is accepted', () => {
  expect(carriesToken('Bearer abc', 'abc')).toBe(true);
  expect(carriesToken('bearer abc', 'abc')).toBe(true);
  for (const wrong of [undefined, '', 'abc', 'Bearer', 'Bearer ab', 'Bearer abcd', 'Basic abc']) {
    expect(carriesToken(wrong, 'abc')).toBe(false);
  }
});
