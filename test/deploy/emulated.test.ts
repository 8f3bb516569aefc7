import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { threeVersions } from './built-package.ts';
import { needTools } from './commands.ts';
import { until } from './container.ts';
import { emulatedRoot, rootArchive, unpackRoot } from './debian-roots.ts';
import { EmulatedNamespace } from './emulated-namespace.ts';
import { consumed, SentReadings } from './sent-readings.ts';

/*
 * The package for arm64 in a Debian for arm64 whose programs run by an emulator. Nothing is process 1 there: the test starts the
 * gateway as the unit would.
 */

let folder = '';
let root = '';
let packages: Awaited<ReturnType<typeof threeVersions>>;
let namespace: EmulatedNamespace;
let gateway: ChildProcess | undefined;
let said = '';
const readings = new SentReadings((...command) => namespace.run(...command));

beforeAll(async () => {
  await needTools('dpkg-deb', 'mmdebstrap', 'qemu-aarch64-static', 'unshare', 'ip', 'mosquitto_pub');
  folder = await mkdtemp(join(tmpdir(), 'headwater-emulated-'));
  root = join(folder, 'root');
  packages = await threeVersions(folder, 'arm64');
  await unpackRoot(await rootArchive(emulatedRoot), root);
  for (const file of Object.values(packages)) await copyFile(file, join(root, 'root', basename(file)));
  namespace = await EmulatedNamespace.open();
  await namespace.run('mount', '-t', 'proc', 'proc', join(root, 'proc'));
  await namespace.run('mount', '--rbind', '/dev', join(root, 'dev'));
});

afterAll(async () => {
  await namespace?.close();
  await rm(folder, { recursive: true, force: true });
});

const clean = ['env', '-i', '-C', '/root', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8'];

const inRoot = (...command: readonly string[]): Promise<string> =>
  namespace.run('chroot', root, ...clean, ...command);

const install = (file: string): Promise<string> => inRoot('dpkg', '--install', basename(file));

/** Resolves when it takes readings. */
async function start(): Promise<void> {
  const asGateway = ['setpriv', '--reuid=headwater', '--regid=headwater', '--init-groups'];
  const command = ['chroot', root, ...clean, ...asGateway, 'headwater', 'run'];
  const [name, ...args] = namespace.enter(...command);
  const started = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  said = '';
  for (const stream of [started.stdout, started.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  gateway = started;
  await until('the gateway is ready', async () => {
    if (started.exitCode !== null) throw new Error(`the gateway ended with ${started.exitCode}: ${said}`);
    return (
      (await namespace.attempt('mosquitto_pub', '-h', '127.0.0.1', '-t', '$headwater/knock', '-n')).code === 0
    );
  });
}

async function stop(): Promise<void> {
  const running = gateway;
  if (running === undefined) return;
  gateway = undefined;
  const closed = once(running, 'close');
  // nsenter waits for it, and would not hand a signal on.
  const told = JSON.parse(await readFile(join(root, 'var/lib/headwater/gateway.json'), 'utf8')) as {
    pid: number;
  };
  await inRoot('sh', '-c', 'kill "$0"', String(told.pid));
  await closed;
}

const stored = async (): Promise<readonly string[]> =>
  consumed(await inRoot('headwater', 'consume', 'readings', '--from-beginning'));

test('a reading goes through an installed gateway', async () => {
  await install(packages.current);
  expect(await inRoot('dpkg', '--print-architecture')).toBe('arm64\n');
  expect(await inRoot('stat', '--format=%U:%G %a', '/var/lib/headwater')).toBe('headwater:headwater 750\n');
  expect(await inRoot('id', '-nG', 'headwater')).toContain('dialout');
  await start();
  await readings.publish();
  expect(await stored()).toEqual(readings.all);
});

test('an upgrade and a downgrade keep data and configuration', async () => {
  await inRoot('sh', '-c', 'echo "# kept by upgrades" >>/etc/headwater/headwater.yaml');
  for (const [file, version] of [
    [packages.newer, '99.0.0~rc1'],
    [packages.older, '0.0.9'],
  ] as const) {
    await stop();
    await install(file);
    expect(await inRoot('headwater', '--version')).toBe(`${version}\n`);
    await start();
    await readings.publish();
    expect(await stored()).toEqual(readings.all);
    expect(await readFile(join(root, 'etc/headwater/headwater.yaml'), 'utf8')).toContain(
      '# kept by upgrades',
    );
  }
});

test('a removal keeps data and configuration, a purge takes both', async () => {
  await stop();
  await inRoot('dpkg', '--remove', 'headwater');
  await inRoot('test', '-f', '/etc/headwater/headwater.yaml', '-a', '-d', '/var/lib/headwater/journal');
  await inRoot('dpkg', '--purge', 'headwater');
  for (const path of ['/etc/headwater', '/var/lib/headwater', '/usr/lib/headwater'])
    await inRoot('test', '!', '-e', path);
  await inRoot('id', 'headwater');
});
