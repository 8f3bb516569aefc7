import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Backup } from '../../../src/edge/backup/backup-document.ts';
import { readParentLog } from '../../../src/edge/backup/parent-log.ts';
import { type FileChanges, restoreFiles } from '../../../src/edge/backup/restore-files.ts';
import { refuseHalfRestored } from '../../../src/edge/backup/restore-marker.ts';
import { removeFile, replaceFile } from '../../../src/platform/data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const backup = (of: string, parentLogId: string | null = null): Backup => ({
  madeAt: '2026-01-31T08:00:00.000Z',
  gateway: of,
  headwater: '0.1.0',
  parentLogId,
  files: [
    { name: 'headwater.yaml', mode: 0o640, content: Buffer.from(`config of ${of}`) },
    { name: 'users.json', mode: 0o600, content: Buffer.from(`users of ${of}`) },
    { name: 'admin.token', mode: 0o600, content: Buffer.from(`token of ${of}`) },
    { name: 'mqtt-certificate.pem', mode: 0o644, content: Buffer.from(`certificate of ${of}`) },
  ],
});

/** A place with the folders of a gateway; what is in it, by name. */
async function place(path: string, force = false, hasLog = true) {
  const dataDir = join(path, 'data');
  await mkdir(dataDir, { recursive: true });
  const content = async (): Promise<Record<string, string>> => {
    const entries = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    return Object.fromEntries(
      await Promise.all(
        entries.map(async ({ name, parentPath }) => [name, await readFile(join(parentPath, name), 'utf8')]),
      ),
    );
  };
  return { dataDir, configFile: join(path, 'headwater.yaml'), force, hasLog, content };
}

const whole = (of: string, parentLogId: string | null = null) => ({
  'headwater.yaml': `config of ${of}`,
  'users.json': `users of ${of}`,
  'admin.token': `token of ${of}`,
  'mqtt-certificate.pem': `certificate of ${of}`,
  ...(parentLogId !== null && {
    'parent-log.json': `{"logId":"${parentLogId}","gateway":"${of}","madeAt":"2026-01-31T08:00:00.000Z"}\n`,
  }),
});

/** The real disk, which dies before a change: that one and all after it do not happen. */
function dyingBefore(step: number): FileChanges & { readonly changes: () => number } {
  let count = 0;
  const next = () => {
    if (count === step) throw new Error('the power is cut');
    count++;
  };
  return {
    changes: () => count,
    replace: async (path, content, mode) => {
      next();
      await replaceFile(path, content, mode);
    },
    remove: async (path) => {
      next();
      await removeFile(path);
    },
  };
}

describe('the parent of a log', () => {
  const ofLog = (logId: string | null): Backup => backup('a', logId);

  it('is that of the backup where a log is to begin, and of the last restore', async () => {
    await using folder = await temporaryFolder();
    const to = await place(folder.path, true, false);
    await restoreFiles(ofLog('f00d'), to);
    expect(await readParentLog(to.dataDir)).toEqual({
      logId: 'f00d',
      gateway: 'a',
      madeAt: '2026-01-31T08:00:00.000Z',
    });
    await restoreFiles(ofLog(null), to);
    expect(await readParentLog(to.dataDir)).toBeNull();
  });

  it('stays what it was where a log goes on', async () => {
    await using folder = await temporaryFolder();
    const to = await place(folder.path, true, false);
    await restoreFiles(ofLog('f00d'), to);
    await restoreFiles(ofLog('beef'), { ...to, hasLog: true });
    expect((await readParentLog(to.dataDir))?.logId).toBe('f00d');
  });

  it.each(['', '{"logId":', '{"logId":7,"gateway":"a","madeAt":"b"}', 'null', 'x'.repeat(10_000)])(
    'is nobody where the file is damaged: %j',
    async (text) => {
      await using folder = await temporaryFolder();
      const to = await place(folder.path);
      await writeFile(join(to.dataDir, 'parent-log.json'), text);
      expect(await readParentLog(to.dataDir)).toBeNull();
    },
  );
});

it('does not wait for a parent that is no file', async () => {
  await using folder = await temporaryFolder();
  const to = await place(folder.path);
  execFileSync('mkfifo', [join(to.dataDir, 'parent-log.json')]);
  expect(await readParentLog(to.dataDir)).toBeNull();
});

describe('restoring', () => {
  it('writes all files with their rights, and leaves no marker', async () => {
    await using folder = await temporaryFolder();
    const to = await place(folder.path);
    await restoreFiles(backup('a'), to);
    expect(await to.content()).toEqual(whole('a'));
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await modeOf(to.configFile)).toBe(0o640);
    expect(await modeOf(join(to.dataDir, 'users.json'))).toBe(0o600);
    expect(await modeOf(join(to.dataDir, 'mqtt-certificate.pem'))).toBe(0o644);
    await refuseHalfRestored(to.dataDir);
  });

  it.each(['headwater.yaml', 'data/users.json', 'data/mqtt-key.pem', 'data/admin.json'])(
    'changes nothing if %s is there, unless it is told to; then no file of the other gateway is left',
    async (name) => {
      await using folder = await temporaryFolder();
      const to = await place(folder.path);
      await writeFile(join(folder.path, name), 'of another');
      await writeFile(join(to.dataDir, 'card.json'), 'wear');
      const before = await to.content();
      await expect(restoreFiles(backup('a'), to)).rejects.toThrow(/nothing is restored, since .*--force/);
      expect(await to.content()).toEqual(before);
      await restoreFiles(backup('a'), { ...to, force: true });
      expect(await to.content()).toEqual({ ...whole('a'), 'card.json': 'wear' });
    },
  );

  it.each<[string, boolean, string | null, number]>([
    // The marker, four files, one that goes, and the marker's end.
    ['beside a log', true, null, 7],
    ['for a log with a parent', false, 'beef', 8],
    ['for a log without one', false, null, 8],
  ])(
    'that is broken off at any step %s is either not begun, or refused to gateways until it is done again',
    async (_, hasLog, parent, stepsAll) => {
      let steps = 0;
      for (let step = 0, isDone = false; !isDone; step++) {
        await using folder = await temporaryFolder();
        const to = await place(folder.path, false, hasLog);
        await restoreFiles(backup('old', hasLog ? null : 'f00d'), to);
        await writeFile(join(to.dataDir, 'admin.json'), 'password of old');
        const before = await to.content();
        const disk = dyingBefore(step);
        const error = await restoreFiles(backup('new', parent), { ...to, force: true }, disk).catch(
          (thrown: unknown) => thrown,
        );
        isDone = error === undefined;
        steps = disk.changes();
        if (isDone) continue;
        if (step === 0) {
          expect(await to.content()).toEqual(before);
          await refuseHalfRestored(to.dataDir);
          continue;
        }
        await expect(refuseHalfRestored(to.dataDir)).rejects.toThrow(
          /was broken off.*headwater restore with the same/,
        );
        // By the new configuration alone is the folder found, and in it the marker.
        if (step > 1) expect(await to.content()).toMatchObject({ 'headwater.yaml': 'config of new' });
        // Another one might leave files of both; the same goes on, and need not be told to replace its own.
        await expect(restoreFiles(backup('third'), to)).rejects.toThrow(/another backup.*was broken off/);
        const elsewhere = { ...to, configFile: join(folder.path, 'other.yaml') };
        await expect(restoreFiles(backup('new', parent), elsewhere)).rejects.toThrow(/another --config/);
        await restoreFiles(backup('new', parent), to);
        expect(await to.content()).toEqual(whole('new', parent));
        await refuseHalfRestored(to.dataDir);
      }
      expect(steps).toBe(stepsAll);
    },
  );

  it('of another backup takes the place of one that was broken off, when it is told to', async () => {
    await using folder = await temporaryFolder();
    const to = await place(folder.path);
    await expect(restoreFiles(backup('a'), to, dyingBefore(3))).rejects.toThrow('the power is cut');
    await restoreFiles(backup('b'), { ...to, force: true });
    expect(await to.content()).toEqual(whole('b'));
  });
});
