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

const load = (configFile?: string, sets: readonly string[] = []) =>
  loadConfig({ configFile, sets, workingDirectory: folder, hostName: 'gw1' });

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
