import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boardSerial } from '../../src/platform/board-serial.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-board-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('the serial number of the board', () => {
  test('is the first one that there is, without the zero byte of the device tree', async () => {
    const tree = await file('tree', '10000000a1b2c3d4\0');
    const machine = await file('machine', 'ffff\n');
    expect(await boardSerial([join(folder, 'missing'), tree, machine])).toBe('10000000a1b2c3d4');
    expect(await boardSerial([machine])).toBe('ffff');
  });

  test('is null where nothing usable is found', async () => {
    expect(await boardSerial([join(folder, 'missing'), await file('empty', '\0'), folder])).toBeNull();
    expect(await boardSerial([await file('prose', 'to be filled by the maker')])).toBeNull();
  });
});
