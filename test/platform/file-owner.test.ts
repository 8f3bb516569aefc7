import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownerInFolder, refuseFolderOfAnother } from '../../src/platform/file-owner.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-owner-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('root gives files to the owner of their folder, and nobody else gives any away', () => {
  expect(ownerInFolder({ uid: 990, gid: 980 }, 0)).toEqual({ uid: 990, gid: 980 });
  expect(ownerInFolder({ uid: 0, gid: 0 }, 0)).toBeNull();
  expect(ownerInFolder({ uid: 990, gid: 980 }, 990)).toBeNull();
  expect(ownerInFolder({ uid: 990, gid: 980 }, 1000)).toBeNull();
});

test('root runs no gateway on the data folder of another user; that user does, and one that is missing can be made', async () => {
  const { uid } = process.getuid?.() === 0 ? { uid: 990 } : { uid: process.getuid?.() ?? 0 };
  if (process.getuid?.() === 0) await chown(folder, uid, uid);
  await expect(refuseFolderOfAnother(folder, 0)).rejects.toMatchObject({
    code: 'data-folder-unusable',
    message: expect.stringContaining(`belongs to the user with the number ${uid}`),
  });
  await expect(refuseFolderOfAnother(folder, uid)).resolves.toBeUndefined();
  await expect(refuseFolderOfAnother(join(folder, 'missing'), 0)).resolves.toBeUndefined();
});
