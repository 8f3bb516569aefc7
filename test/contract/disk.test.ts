import { describe, expect, test } from 'vitest';
import type { Disk, DiskFile } from '../../src/core/disk.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const twins = {
  async SimDisk() {
    const disk = new SimDisk(new SimRandom(1)).session();
    return await Promise.resolve({ disk, [Symbol.asyncDispose]: () => Promise.resolve() });
  },
  async NodeDisk() {
    const folder = await temporaryFolder();
    return { disk: new NodeDisk(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  },
};

async function write(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.create(path);
  await file.writeAt(Buffer.from(text), 0);
  await file.sync();
  await file.close();
}

async function contentOf(file: DiskFile): Promise<string> {
  const bytes = Buffer.alloc(await file.size());
  expect(await file.readAt(bytes, 0)).toBe(bytes.length);
  return bytes.toString();
}

async function read(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path);
  const text = await contentOf(file);
  await file.close();
  return text;
}

describe.each(Object.entries(twins))('%s keeps the contract of a disk:', (_, open) => {
  test('a folder that does not exist is empty', async () => {
    await using twin = await open();
    expect(await twin.disk.list('nowhere')).toEqual([]);
  });

  test('folders are made with their parents, and once more does no harm', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('a/b');
    await write(twin.disk, 'a/b/file', 'x');
    await twin.disk.makeFolder('a/b');
    expect(await twin.disk.list('a/b')).toEqual(['file']);
  });

  test('names are listed without their folder', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    for (const name of ['one', 'two', 'three']) await write(twin.disk, `f/${name}`, name);
    expect([...(await twin.disk.list('f'))].sort()).toEqual(['one', 'three', 'two']);
  });

  test('folders are listed among the names', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('a/b');
    await write(twin.disk, 'a/x', 'x');
    expect([...(await twin.disk.list('a'))].sort()).toEqual(['b', 'x']);
  });

  test('a file is cut, and grows again with zeros', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await write(twin.disk, 'f/x', '0123456789');
    const file = await twin.disk.open('f/x');
    await file.truncate(4);
    await file.sync();
    expect(await contentOf(file)).toBe('0123');
    await file.writeAt(Buffer.from('x'), 6);
    expect(await contentOf(file)).toBe('0123\0\0x');
    await file.close();
  });

  test('a created file is empty and replaces what had the name', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await write(twin.disk, 'f/x', 'old');
    const file = await twin.disk.create('f/x');
    expect(await file.size()).toBe(0);
    await file.close();
    expect(await read(twin.disk, 'f/x')).toBe('');
  });

  test('a created file is not the one that had the name, for whoever still has that open', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    const old = await twin.disk.create('f/x');
    await old.writeAt(Buffer.from('old'), 0);
    const file = await twin.disk.create('f/x');
    await file.writeAt(Buffer.from('new'), 0);
    await old.writeAt(Buffer.from('late'), 0);
    expect(await contentOf(file)).toBe('new');
    expect(await contentOf(old)).toBe('late');
    await Promise.all([old.close(), file.close()]);
  });

  test('a file that does not exist cannot be opened or renamed', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await expect(twin.disk.open('f/x')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(twin.disk.rename('f/x', 'f/y')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await twin.disk.list('f')).toEqual([]);
  });

  test('opening keeps the content, for reading and writing', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await write(twin.disk, 'f/x', 'hello world');
    const file = await twin.disk.open('f/x');
    await file.writeAt(Buffer.from('WORLD!'), 6);
    await file.sync();
    expect(await file.size()).toBe(12);
    await file.close();
    expect(await read(twin.disk, 'f/x')).toBe('hello WORLD!');
  });

  test('what is written is read at once, before any sync', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    const file = await twin.disk.create('f/x');
    await file.writeAt(Buffer.from('abc'), 0);
    expect(await contentOf(file)).toBe('abc');
    await file.close();
  });

  test('a write beyond the end leaves zeros between', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    const file = await twin.disk.create('f/x');
    await file.writeAt(Buffer.from('b'), 3);
    expect(await contentOf(file)).toBe('\0\0\0b');
    await file.close();
  });

  test('a read gives less than asked only at the end, and leaves the rest alone', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await write(twin.disk, 'f/x', 'abcdef');
    const file = await twin.disk.open('f/x');
    const into = Buffer.from('....');
    expect(await file.readAt(into, 1)).toBe(4);
    expect(into.toString()).toBe('bcde');
    into.fill('.');
    expect(await file.readAt(into, 4)).toBe(2);
    expect(into.toString()).toBe('ef..');
    expect(await file.readAt(into, 6)).toBe(0);
    expect(await file.readAt(into, 100)).toBe(0);
    expect(await file.readAt(new Uint8Array(), 0)).toBe(0);
    await file.close();
  });

  test('a write of a view writes the view and nothing around it', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    const file = await twin.disk.create('f/x');
    await file.writeAt(Buffer.from('0123456789').subarray(3, 6), 0);
    expect(await contentOf(file)).toBe('345');
    await file.close();
  });

  test('what is written later does not change bytes that were written before', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    const file = await twin.disk.create('f/x');
    const bytes = Buffer.from('abc');
    await file.writeAt(bytes, 0);
    bytes.fill('z');
    expect(await contentOf(file)).toBe('abc');
    await file.close();
  });

  test('a rename replaces the other file, and an open file follows its name', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await write(twin.disk, 'f/old', 'old');
    const file = await twin.disk.create('f/spare');
    await file.writeAt(Buffer.from('new'), 0);
    await twin.disk.rename('f/spare', 'f/old');
    await file.writeAt(Buffer.from('er'), 3);
    await file.sync();
    await file.close();
    await twin.disk.syncFolder('f');
    expect(await twin.disk.list('f')).toEqual(['old']);
    expect(await read(twin.disk, 'f/old')).toBe('newer');
  });

  test('a rename into another folder moves the file', async () => {
    await using twin = await open();
    for (const folder of ['f', 'g']) await twin.disk.makeFolder(folder);
    await write(twin.disk, 'f/x', 'x');
    await twin.disk.rename('f/x', 'g/y');
    expect(await twin.disk.list('f')).toEqual([]);
    expect(await read(twin.disk, 'g/y')).toBe('x');
  });

  test('removing a file twice is no error', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    await write(twin.disk, 'f/x', 'x');
    await twin.disk.remove('f/x');
    await twin.disk.remove('f/x');
    await twin.disk.syncFolder('f');
    expect(await twin.disk.list('f')).toEqual([]);
  });

  test('a file can be closed twice', async () => {
    await using twin = await open();
    await twin.disk.makeFolder('f');
    const file = await twin.disk.create('f/x');
    await file.close();
    await file.close();
  });
});

describe('SimDisk loses what the contract allows to be lost, and nothing else:', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => new SimDisk(new SimRandom(seed)));

  test('synced bytes under a synced name survive every power cut', async () => {
    for (const disk of seeds) {
      const session = disk.session();
      await write(session, 'f/x', 'durable');
      await session.syncFolder('f');
      disk.cutPower();
      expect(await read(disk.session(), 'f/x')).toBe('durable');
    }
  });

  test('a name without a sync of its folder survives some and not others, a kill never matters', async () => {
    const names = new Set<string>();
    for (const disk of seeds) {
      await write(disk.session(), 'g/x', 'x');
      expect(await disk.session().list('g')).toEqual(['x']);
      disk.cutPower();
      names.add((await disk.session().list('g')).join());
    }
    expect(names).toEqual(new Set(['', 'x']));
  });

  test('unsynced sectors end old, new or torn, each for itself', async () => {
    const fates = new Set<string>();
    for (const disk of seeds) {
      const session = disk.session();
      await write(session, 'h/x', 'o'.repeat(1024));
      await session.syncFolder('h');
      const file = await session.open('h/x');
      await file.writeAt(Buffer.alloc(1024, 'n'), 0);
      disk.cutPower();
      const text = await read(disk.session(), 'h/x');
      expect(text).toMatch(/^n*o*$|^.{512}n*o*$/);
      fates.add(
        `${text.slice(0, 512).replaceAll(/(.)\1*/g, '$1')} ${text.slice(512).replaceAll(/(.)\1*/g, '$1')}`,
      );
    }
    for (const fate of ['o o', 'n n', 'o n', 'n o']) expect(fates).toContain(fate);
    expect([...fates].some((fate) => fate.includes('no'))).toBe(true);
  });

  test('after a failed sync reads show bytes that no later sync writes', async () => {
    let lost = 0;
    for (const disk of seeds) {
      const session = disk.session();
      await write(session, 'i/x', 'old');
      await session.syncFolder('i');
      const file = await session.open('i/x');
      await file.writeAt(Buffer.from('new'), 0);
      disk.faults = { syncFails: 1, writeFails: 0 };
      await expect(file.sync()).rejects.toThrowError(/EIO/);
      disk.faults = { syncFails: 0, writeFails: 0 };
      await file.sync();
      expect(await read(session, 'i/x')).toBe('new');
      disk.cutPower();
      if ((await read(disk.session(), 'i/x')) === 'old') lost += 1;
    }
    expect(lost).toBeGreaterThan(0);
  });
});
