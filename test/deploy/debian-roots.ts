import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../../deploy/package/architecture.ts';
import { mirrorsOfThisMachine } from '../../deploy/raspberry-pi/debian.ts';
import { run } from './commands.ts';
import { EmulatedNamespace } from './emulated-namespace.ts';

/** A fresh Debian with a few packages. */
export interface RootWish {
  readonly suite: 'trixie' | 'bookworm';
  readonly architecture: Architecture;
  readonly packages: readonly string[];
}

/** What the package depends on: it is installed by dpkg, which fetches nothing. */
const dependencies = ['systemd', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'init-system-helpers'];

/** An arm64 Debian in which the package is installed by an emulator. */
export const emulatedRoot: RootWish = { suite: 'trixie', architecture: 'arm64', packages: dependencies };

/** One that is started as a container. Publishers are inside, since nothing else is in its network. */
export const bootedRoot = (suite: RootWish['suite']): RootWish => ({
  suite,
  architecture: 'amd64',
  packages: [...dependencies, 'systemd-sysv', 'dbus', 'udev', 'mosquitto-clients', 'procps'],
});

/**
 * The archive of such a root, made at most once a month: outside the checkout, in `XDG_CACHE_HOME` or `~/.cache`.
 * @throws Error with what mmdebstrap said
 */
export async function rootArchive(wish: RootWish): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headwater');
  const { suite, architecture, packages } = wish;
  const month = new Date().toISOString().slice(0, 7);
  const key = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 8);
  const archive = join(cache, `${suite}-${architecture}-${month}-${key}.tar`);
  if (existsSync(archive)) return archive;
  await mkdir(cache, { recursive: true });
  const making = join(cache, `making-${process.pid}-${suite}-${architecture}.tar`);
  const command = [
    'mmdebstrap',
    '--mode=root',
    '--variant=minbase',
    `--architectures=${architecture}`,
    `--include=${packages.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--skip=output/dev,check/qemu',
    suite,
    making,
    `deb ${(await mirrorsOfThisMachine()).debian} ${suite} main`,
  ];
  if (architecture === 'arm64') await EmulatedNamespace.use((namespace) => namespace.run(...command));
  else await run('env', ...command);
  await rename(making, archive);
  return archive;
}

/** Unpacks a root into a folder. It becomes executable for everybody, as `/` is. */
export async function unpackRoot(archive: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await run('tar', '--numeric-owner', '-C', folder, '-xf', archive);
  await mkdir(join(folder, 'dev'), { recursive: true });
}
