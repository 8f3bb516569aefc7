import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { FolderLock } from '../../../src/platform/folder-lock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { session } from './fake-gateway.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'old/data'), { recursive: true });
  await mkdir(join(folder.path, 'new'));
  await writeFile(join(folder.path, 'old/headwater.yaml'), 'gateway: { name: north }\n', { mode: 0o640 });
  await writeFile(join(folder.path, 'old/data/admin.token'), 'the token\n', { mode: 0o600 });
});

afterEach(() => folder[Symbol.asyncDispose]());

const at = (place: 'old' | 'new', ...words: string[]) =>
  session(words, { workingDirectory: join(folder.path, place) });

const inFolder = (path: string) => join(folder.path, path);

describe('backup', () => {
  it('writes a file of its owner alone, says what is in it, and replaces none', async () => {
    await writeFile(inFolder('old/data/users.json'), '{}');
    await chmod(inFolder('old/data/users.json'), 0o644);
    const { code, output, errors } = await at('old', 'backup', '../b.json');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(/b\.json holds headwater\.yaml, users\.json, admin\.token of the gateway north\n/);
    expect(output).toContain('there are SECRETS in it');
    expect((await stat(inFolder('b.json'))).mode & 0o777).toBe(0o600);
    const text = await readFile(inFolder('b.json'), 'utf8');
    const document = JSON.parse(text);
    expect(document).toMatchObject({
      format: 'headwater-backup',
      version: 1,
      gateway: 'north',
      parentLogId: null,
    });
    expect(document.files.map(({ mode }: { mode: number }) => mode.toString(8))).toEqual([
      '640',
      '600',
      '600',
    ]);
    expect(await at('old', 'backup', '../b.json')).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringMatching(/b\.json is there already; .*--force/),
    });
    expect(await readFile(inFolder('b.json'), 'utf8')).toBe(text);
    await writeFile(inFolder('old/data/admin.token'), 'another\n');
    expect((await at('old', 'backup', '../b.json', '--force')).code).toBe(0);
    expect(await readFile(inFolder('b.json'), 'utf8')).not.toBe(text);
  });

  it('refuses a folder without a gateway, what is too long, and a place where nothing can be written', async () => {
    expect(await at('new', 'backup', 'b.json')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('there is nothing of a gateway in'),
    });
    expect(await at('old', 'backup', 'no/b.json')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/cannot be written: .*Choose a folder/),
    });
    await writeFile(inFolder('old/data/mqtt-key.pem'), Buffer.alloc(limits.ownCredentialBytesMax + 1));
    expect(await at('old', 'backup', 'b.json')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/mqtt-key\.pem cannot be backed up: it is longer than/),
    });
  });
});

describe('restore', () => {
  beforeEach(async () => {
    expect((await at('old', 'backup', '../b.json')).code).toBe(0);
  });

  it('puts the configuration where --config says, and the rest into the data folder that it names', async () => {
    const { code, output, errors } = await at('new', 'restore', '../b.json', '--config', 'gw.yaml');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(/^restored .*new\/gw\.yaml\nrestored .*new\/data\/admin\.token\n/);
    expect(output).toContain('this gateway begins a log of its own when it starts\n');
    expect(output).not.toContain('WARNING');
    expect(await readFile(inFolder('new/gw.yaml'), 'utf8')).toBe('gateway: { name: north }\n');
    expect((await stat(inFolder('new/gw.yaml'))).mode & 0o777).toBe(0o640);
    expect(await readFile(inFolder('new/data/admin.token'), 'utf8')).toBe('the token\n');
    expect(await at('new', 'restore', '../b.json', '--config', 'gw.yaml')).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringMatching(
        /nothing is restored, since .*gw\.yaml, .*admin\.token are there already/,
      ),
    });
    expect((await at('new', 'restore', '../b.json', '--config', 'gw.yaml', '--force')).code).toBe(0);
  });

  it('warns of a gateway that goes by another name', async () => {
    const { output } = await at('new', 'restore', '../b.json', '--set', 'gateway.name=south');
    expect(output).toMatch(/^WARNING: this gateway is called south, .*set gateway\.name: north/m);
  });

  it('refuses a data folder that somebody works on, and one that a broken off restore has left', async () => {
    await mkdir(inFolder('new/data'));
    const lock = FolderLock.take(inFolder('new/data'));
    expect(await at('new', 'restore', '../b.json')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/works on the data folder .*; stop it first/),
    });
    lock?.release();
    await writeFile(inFolder('new/data/restore.pending'), 'another one\n');
    for (const words of [
      ['restore', '../b.json'],
      ['backup', 'c.json'],
      ['devices', 'add', 'pump', '--certificate'],
    ])
      expect(await at('new', ...words)).toMatchObject({
        code: 1,
        output: '',
        errors: expect.stringContaining('was broken off'),
      });
    expect((await at('new', 'restore', '../b.json', '--force')).code).toBe(0);
    expect((await at('new', 'backup', 'c.json')).code).toBe(0);
  });

  it('refuses what is no backup, one that is too long, and a configuration that would not do here', async () => {
    await writeFile(inFolder('long.json'), Buffer.alloc(limits.backupBytesMax + 1, ' '));
    for (const [words, code, errors] of [
      [['restore', '../long.json'], 1, 'too long to be a backup'],
      [['restore', '../none.json'], 1, 'the backup cannot be read'],
      [['restore', 'headwater.yaml'], 1, 'the backup cannot be read'],
      [['restore', '../b.json', '--set', 'mqtt.listen=nowhere'], 2, 'mqtt.listen'],
      [['restore', '../b.json', '--config', 'no/gw.yaml'], 1, 'the configuration cannot go into'],
    ] as const)
      expect(await at('new', ...words)).toMatchObject({
        code,
        output: '',
        errors: expect.stringContaining(errors),
      });
    await expect(stat(inFolder('new/data'))).rejects.toThrow('ENOENT');
  });
});
