import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const script = fileURLToPath(
  new URL('../../deploy/raspberry-pi/root/usr/lib/headwater-image/application', import.meta.url),
);
const NOBODY = 65_534;
/** As many as the script has patience for. */
const STARTS_MAX = 5;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let apps: string;
let factory: string;
let run: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
  apps = join(folder.path, 'app');
  run = join(folder.path, 'run');
  await mkdir(apps);
  factory = await bundle('factory', folder.path);
});
afterEach(async () => await folder[Symbol.asyncDispose]());

/** A bundle as updates bring them. */
async function bundle(name: string, parent = apps): Promise<string> {
  const path = join(parent, name);
  for (const inner of ['bin', 'app']) await mkdir(join(path, inner), { recursive: true });
  for (const file of ['bin/headwater', 'bin/node']) {
    await writeFile(join(path, file), '#!/bin/sh\n');
    await chmod(join(path, file), 0o755);
  }
  return path;
}

/** Has the link lead to a bundle, as an update does: at once. */
async function lead(target: string): Promise<void> {
  await symlink(target, join(apps, 'current.new'));
  await rename(join(apps, 'current.new'), join(apps, 'current'));
}

/** Starts a version as systemd does, before the gateway itself. Gives what runs, and what the log gets. */
async function start(command = 'start'): Promise<{ readonly chosen: string; readonly said: string }> {
  const { status, stderr } = spawnSync('sh', [script, command, apps, factory, run], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return { chosen: await readlink(join(run, 'current')), said: stderr };
}

const tell = (command: string, env: Readonly<Record<string, string>> = {}): string =>
  execFileSync('sh', [script, command, apps], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', ...env } });

/** What the screen says of it; empty while the version is the wanted one. */
const onScreen = (): Promise<string> => readFile(join(run, 'why-factory'), 'utf8').catch(() => '');

test('without an installed version that of the image runs, and nothing is said of it', async () => {
  expect(await start()).toEqual({ chosen: factory, said: '' });
  expect(await onScreen()).toBe('');
});

test('an installed version that is sound runs, by a link of either kind', async () => {
  const version = await bundle('1.1.0');
  await lead(version);
  expect(await start()).toEqual({ chosen: version, said: '' });
  await rm(join(apps, 'current'));
  await lead('1.1.0');
  expect(await start()).toEqual({ chosen: version, said: '' });
  expect(await onScreen()).toBe('');
});

test.each<[string, string, (version: string) => Promise<void>]>([
  ['has no node', 'has no bin/node', (version) => rm(join(version, 'bin/node'))],
  ['has a node that cannot run', 'has no bin/node', (version) => chmod(join(version, 'bin/node'), 0o644)],
  ['has no entry point', 'has no bin/headwater', (version) => rm(join(version, 'bin/headwater'))],
  ['is gone', 'leads nowhere', (version) => rm(version, { recursive: true })],
  ['belongs to somebody', 'may be changed by others', (version) => chown(version, NOBODY, NOBODY)],
  [
    'has a file of somebody',
    'app/main.js may be changed by others',
    async (version) => {
      await writeFile(join(version, 'app/main.js'), '');
      await chown(join(version, 'app/main.js'), NOBODY, NOBODY);
    },
  ],
  [
    'has a file that all may write',
    'app/main.js may be changed by others',
    async (version) => {
      await writeFile(join(version, 'app/main.js'), '');
      await chmod(join(version, 'app/main.js'), 0o666);
    },
  ],
  ['lies in a folder that all may write', 'may be changed by others', () => chmod(apps, 0o777)],
])('the version of the image runs, and says so, when the installed one %s', async (_what, why, spoil) => {
  const version = await bundle('1.1.0');
  await lead(version);
  await spoil(version);
  const { chosen, said } = await start();
  expect(chosen).toBe(factory);
  expect(said).toContain(why);
  expect(await onScreen()).toContain(why);
});

test('a link that leads out of the installed versions is not followed', async () => {
  const elsewhere = await bundle('elsewhere', folder.path);
  await lead(elsewhere);
  expect((await start()).chosen).toBe(factory);
  expect(await onScreen()).toContain('leads out of');
});

test('what stands where the link should be is not taken for a version', async () => {
  await bundle('current');
  expect((await start()).chosen).toBe(factory);
  expect(await onScreen()).toContain('is not a link');
});

test('a version that does not hold is left after five starts, until the link leads to another', async () => {
  const bad = await bundle('1.1.0');
  await lead(bad);
  for (let count = 1; count <= STARTS_MAX; count++) {
    expect((await start()).chosen, `start ${count}`).toBe(bad);
    tell('stopped', { SERVICE_RESULT: count % 2 === 0 ? 'timeout' : 'exit-code' });
  }
  expect((await start()).chosen).toBe(factory);
  expect(await onScreen()).toContain(`did not hold in ${STARTS_MAX} starts`);
  // The next boot as well: the count is on the data partition.
  await rm(run, { recursive: true });
  expect((await start()).chosen).toBe(factory);
  const better = await bundle('1.1.1');
  await lead(better);
  expect((await start()).chosen).toBe(better);
  expect(await onScreen()).toBe('');
});

test('a version that holds for a while is never left, however often power fails', async () => {
  const version = await bundle('1.1.0');
  await lead(version);
  for (let cut = 1; cut <= 2 * STARTS_MAX; cut++) {
    expect((await start()).chosen, `start ${cut}`).toBe(version);
    tell('held');
  }
});

test('stops that somebody asked for are no failures, and ends of its own are, whatever their exit code', async () => {
  const version = await bundle('1.1.0');
  await lead(version);
  for (let count = 1; count <= 2 * STARTS_MAX; count++) {
    expect((await start()).chosen, `start ${count}`).toBe(version);
    tell('stopped', { SERVICE_RESULT: 'success', JOB: '4711' });
  }
  for (let count = 1; count <= STARTS_MAX; count++) {
    expect((await start()).chosen, `start ${count}`).toBe(version);
    tell('stopped', { SERVICE_RESULT: 'success', JOB: '' });
  }
  expect((await start()).chosen).toBe(factory);
});

test('choosing without starting counts nothing', async () => {
  const version = await bundle('1.1.0');
  await lead(version);
  for (let count = 1; count <= 2 * STARTS_MAX; count++) expect((await start('choose')).chosen).toBe(version);
});

test.each(['', 'x', '3', '99999999999999999999 x', '-1 \n'])(
  'a count that reads %j counts as none',
  async (text) => {
    const version = await bundle('1.1.0');
    await lead(version);
    await writeFile(join(apps, 'starts'), text);
    expect((await start()).chosen).toBe(version);
    expect(await readFile(join(apps, 'starts'), 'utf8')).toBe(`1 ${version}\n`);
  },
);
