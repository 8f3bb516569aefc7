import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { loadConfig } from '../../../src/edge/config/load-config.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-config-'));
});

afterEach(() => rm(folder, { recursive: true }));

const load = (configFile?: string, sets: readonly string[] = [], configVariable?: string) =>
  loadConfig({ configFile, configVariable, sets, workingDirectory: folder, hostName: 'gw1' });

describe('loadConfig', () => {
  it('takes the defaults when there is no file', async () => {
    const { config, fileName } = await load();
    expect(fileName).toBeUndefined();
    expect(config.data.dir).toBe(join(folder, 'data'));
  });

  it('takes headwater.yaml of the working directory when there is one, and --config before it', async () => {
    await writeFile(join(folder, 'headwater.yaml'), 'log: { level: warn }');
    await writeFile(join(folder, 'other.yaml'), 'log: { level: error }');
    expect(await load()).toMatchObject({ fileName: './headwater.yaml', config: { log: { level: 'warn' } } });
    expect(await load('other.yaml')).toMatchObject({ config: { log: { level: 'error' } } });
  });

  it('takes the file of HEADWATER_CONFIG before that of the working directory, and --config before both', async () => {
    await writeFile(join(folder, 'headwater.yaml'), 'log: { level: warn }');
    await writeFile(join(folder, 'machine.yaml'), 'log: { level: debug }');
    await writeFile(join(folder, 'other.yaml'), 'log: { level: error }');
    const level = async (...args: Parameters<typeof load>) => (await load(...args)).config.log.level;
    expect(await level(undefined, [], 'machine.yaml')).toBe('debug');
    expect(await level('other.yaml', [], 'machine.yaml')).toBe('error');
    expect(await level(undefined, [], '')).toBe('warn');
    await rm(join(folder, 'machine.yaml'));
    await expect(load(undefined, [], 'machine.yaml')).rejects.toMatchObject({
      code: 'bad-configuration',
      message: expect.stringMatching(
        /^machine\.yaml: cannot be read .*correct HEADWATER_CONFIG, or leave it out/,
      ),
    });
  });

  it('reads the file of HEADWATER_CONFIG again, or says that it is gone', async () => {
    await writeFile(join(folder, 'machine.yaml'), 'log: { level: warn }');
    const { again } = await load(undefined, [], 'machine.yaml');
    await writeFile(join(folder, 'machine.yaml'), 'log: { level: error }');
    expect((await again()).config.log.level).toBe('error');
    await rm(join(folder, 'machine.yaml'));
    await expect(again()).rejects.toThrow(/correct HEADWATER_CONFIG/);
  });

  it('reports all errors, one a line', async () => {
    await writeFile(join(folder, 'headwater.yaml'), 'foo: 1\nlog: { level: 1 }');
    await expect(load(undefined, ['data.dir='])).rejects.toMatchObject({
      code: 'bad-configuration',
      message: expect.stringMatching(
        /^\.\/headwater\.yaml:1:1: foo: .*\n.*:2:8: log\.level: .*\n--set data\.dir: .*$/,
      ),
    });
  });

  it.each([
    ['that is not there', 'none.yaml', /^none\.yaml: cannot be read \(ENOENT/],
    ['that is a folder', '.', /^\.: cannot be read \(EISDIR/],
    ['that is too long', 'long.yaml', /^long\.yaml: is longer than 1048576 bytes/],
    ['that is endless', '/dev/zero', /^\/dev\/zero: is longer than 1048576 bytes/],
    ['that is not UTF-8', 'latin1.yaml', /^latin1\.yaml: is not UTF-8 text/],
  ])('refuses a file %s', async (_, name, message) => {
    await writeFile(join(folder, 'long.yaml'), '#'.repeat(limits.configFileBytesMax + 1));
    await writeFile(join(folder, 'latin1.yaml'), Buffer.from([0x23, 0xe9]));
    await expect(load(name)).rejects.toMatchObject({
      code: 'bad-configuration',
      message: expect.stringMatching(message),
    });
  });
});
