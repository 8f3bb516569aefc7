import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { haveTools } from '../needed-tools.ts';
import { type ExpectedSteps, Progress } from '../progress.ts';
import { run, runWithEmulator } from './commands.ts';
import { type Mirrors, makeRoot, mirrorsOfThisMachine } from './debian.ts';
import { copyFiles } from './guest-files.ts';
import { layout, type Partition } from './layout.ts';
import { assemble, makeBoot, makeData, makeRootPartition } from './partitions.ts';

const here = import.meta.dirname;
const repository = resolve(here, '../..');
const DAY_MS = 24 * 3600 * 1000;

const rootStep = { 'root of Debian': 500 };
const imageSteps = {
  'unpacking it': 15,
  'installing Headwater': 60,
  'settings and initrd': 120,
  'boot partition': 5,
  'root partition': 20,
  'the image': 10,
};
const compression = { 'compressing it': 240 };
type Step = keyof typeof rootStep | keyof typeof imageSteps | keyof typeof compression;

/** Commands that a build runs, and the packages of Debian that have them. */
const neededTools = {
  'apt-get': 'apt',
  'arch-test': 'arch-test',
  mcopy: 'mtools',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.vfat': 'dosfstools',
  mmdebstrap: 'mmdebstrap',
  'qemu-aarch64-static': 'qemu-user-static',
  sfdisk: 'fdisk',
  tar: 'tar',
  unshare: 'util-linux',
  xz: 'xz-utils',
};

const usage = `Builds dist/headwater-${manifest.version}-arm64.img.xz, for cards of the Raspberry Pi 3 and 4 families, out of Debian and the package
of Headwater. Run it as root, after "npm run deb".

  --deb FILE         the package for arm64; default dist/headwater_${manifest.version}_arm64.deb
  --out DIR          where the image goes; default dist
  --cache DIR        keeps the root of Debian for the next build; default ~/.cache/headwater-image
  --root-days DAYS   how old a kept root may be; default 7, 0 for the Debian of today
  --mirror URL       of Debian; default the one of this machine's apt
  --raw              leaves it at the .img, not compressed
`;

interface Options {
  readonly deb: string;
  readonly out: string;
  readonly cache: string;
  readonly rootDays: number;
  readonly mirror: string | undefined;
  readonly raw: boolean;
}

/** @throws Error that says how to call it */
function optionsOf(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      deb: { type: 'string', default: join(repository, `dist/headwater_${manifest.version}_arm64.deb`) },
      out: { type: 'string', default: join(repository, 'dist') },
      cache: { type: 'string', default: join(homedir(), '.cache/headwater-image') },
      'root-days': { type: 'string', default: '7' },
      mirror: { type: 'string' },
      raw: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const rootDays = Number(values['root-days']);
  if (!(rootDays >= 0)) throw new Error('--root-days wants a number of days');
  const { deb, out, cache, mirror, raw } = values;
  return { deb: resolve(deb), out: resolve(out), cache: resolve(cache), rootDays, mirror, raw };
}

/** Gives the archive of a root of Debian: one that was kept, or a new one. */
class BaseRoot {
  readonly #options: Options;
  readonly #mirrors: Mirrors;
  readonly #log: string;

  constructor(options: Options, mirrors: Mirrors, log: string) {
    this.#options = options;
    this.#mirrors = mirrors;
    this.#log = log;
  }

  /** Roots of the same packages and options have the same name. */
  get archive(): string {
    const key = createHash('sha256')
      .update(JSON.stringify(makeRoot(this.#mirrors, '')))
      .digest('hex')
      .slice(0, 12);
    return join(this.#options.cache, `root-${key}.tar`);
  }

  async isKept(): Promise<boolean> {
    const made = await stat(this.archive).catch(() => null);
    return made !== null && Date.now() - made.mtimeMs < this.#options.rootDays * DAY_MS;
  }

  async make(): Promise<void> {
    const unfinished = `${this.archive}.${process.pid}.tar`;
    try {
      await runWithEmulator(makeRoot(this.#mirrors, unfinished), { log: this.#log });
      await rename(unfinished, this.archive);
    } finally {
      await rm(unfinished, { force: true });
    }
  }
}

async function build(options: Options): Promise<void> {
  await haveTools(neededTools, process.env['PATH'] ?? '');
  if (process.getuid?.() !== 0)
    throw new Error('run this as root: the files of a system belong to many users');
  const deb = await stat(options.deb).catch(() => null);
  if (deb === null)
    throw new Error(`there is no ${options.deb}: run "npm run deb" first, or name one with --deb`);
  process.umask(0o022);
  await mkdir(options.cache, { recursive: true });
  await mkdir(options.out, { recursive: true });
  const mirrors = options.mirror === undefined ? await mirrorsOfThisMachine() : mirrorsAt(options.mirror);
  const log = join(options.out, 'image-build.log');
  await writeFile(log, '');
  const base = new BaseRoot(options, mirrors, log);
  const isKept = await base.isKept();
  const steps = {
    ...(isKept ? {} : rootStep),
    ...imageSteps,
    ...(options.raw ? {} : compression),
  } as ExpectedSteps<Step>;
  const progress = await Progress.of(steps, join(options.cache, 'times.json'), process.stdout);
  if (!isKept) await progress.step('root of Debian', () => base.make());
  const work = join(options.cache, `work-${process.pid}`);
  await mkdir(work);
  try {
    const image = await imageOf(base.archive, work, log, progress, options);
    process.stdout.write(`${image}\n${JSON.stringify(progress.seconds)}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const mirrorsAt = (mirror: string): Mirrors => ({
  debian: mirror,
  security: `${mirror.replace(/\/$/, '')}-security`,
});

/** Makes the image of a root of Debian. Resolves with its path. */
async function imageOf(
  archive: string,
  work: string,
  log: string,
  progress: Progress<Step>,
  { deb, out, raw }: Options,
): Promise<string> {
  const root = join(work, 'root');
  await mkdir(root);
  await progress.step('unpacking it', () => run('tar', ['-xpf', archive, '-C', root, '--numeric-owner']));
  await progress.step('installing Headwater', () => install(deb, root, log));
  await progress.step('settings and initrd', () => customise(root, log));
  const name = `headwater-${manifest.version}-arm64`;
  await writeFile(join(out, `${name}.packages.txt`), await packagesOf(root));
  const bootFiles = join(work, 'boot');
  await moveBoot(root, bootFiles);
  const partitions = layout(await bytesOf(root));
  const fileOf = (partition: Partition): string => join(work, `${partition.name}.img`);
  const [boot, rootPartition, data] = partitions as [Partition, Partition, Partition];
  await progress.step('boot partition', () => makeBoot(fileOf(boot), boot, bootFiles));
  await progress.step('root partition', () => makeRootPartition(fileOf(rootPartition), rootPartition, root));
  const image = join(out, `${name}.img`);
  await progress.step('the image', async () => {
    await makeData(fileOf(data), data);
    await assemble(image, partitions, fileOf);
  });
  if (raw) return image;
  await progress.step('compressing it', () => run('xz', ['--force', '-T2', '-6', image]));
  const packed = `${image}.xz`;
  const [sum = ''] = (await run('sha256sum', [packed])).split(' ');
  await writeFile(`${packed}.sha256`, `${sum}  ${basename(packed)}\n`);
  return packed;
}

/** Commands below a root that has what a program may look for. */
const inside = (root: string, command: string): readonly string[] => [
  'sh',
  '-euc',
  `for folder in dev proc sys; do mount --rbind "/$folder" "$1/$folder"; done; ${command}`,
  'sh',
  root,
];

async function install(deb: string, root: string, log: string): Promise<void> {
  await cp(deb, join(root, 'tmp/headwater.deb'));
  await runWithEmulator(inside(root, 'chroot "$1" dpkg --install /tmp/headwater.deb'), { log });
  await rm(join(root, 'tmp/headwater.deb'));
}

async function customise(root: string, log: string): Promise<void> {
  await copyFiles(join(here, 'root'), root);
  const settings = join(root, 'usr/share/headwater-appliance');
  await mkdir(settings, { recursive: true });
  await cp(join(here, 'headwater.yaml'), join(settings, 'headwater.yaml'));
  await cp(join(here, 'customise.sh'), join(root, 'tmp/customise.sh'));
  const imageTime = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await runWithEmulator(inside(root, `chroot "$1" sh /tmp/customise.sh ${imageTime}`), { log });
  await rm(join(root, 'tmp/customise.sh'), { force: true });
}

const packagesOf = (root: string): Promise<string> =>
  run('dpkg', ['--admindir', join(root, 'var/lib/dpkg'), '--list']);

/** Takes what the boot partition has out of the root: firmware, device trees, kernel, initrd, and what people edit. */
async function moveBoot(root: string, boot: string): Promise<void> {
  await cp(join(root, 'usr/lib/raspi-firmware'), boot, { recursive: true });
  await cp(join(root, 'usr/share/doc/raspi-firmware/copyright'), join(boot, 'LICENCE-firmware.txt'));
  const kernels = (await readdir(join(root, 'usr/lib'))).filter((name) => name.startsWith('linux-image-'));
  for (const kernel of kernels)
    await cp(join(root, 'usr/lib', kernel, 'broadcom'), boot, { recursive: true });
  for (const name of await readdir(join(root, 'boot'))) {
    const path = join(root, 'boot', name);
    if (name.startsWith('vmlinuz-')) await cp(path, join(boot, 'vmlinuz'));
    if (name.startsWith('initrd.img-')) await cp(path, join(boot, 'initrd.img'));
    await rm(path, { recursive: true });
  }
  await mkdir(join(root, 'boot/firmware'), { recursive: true });
  await copyFiles(join(here, 'boot'), boot);
  await cp(join(here, 'headwater.example.yaml'), join(boot, 'headwater.example.yaml'));
}

/** What the files of a folder take on a file system with blocks of 4 KiB. */
async function bytesOf(folder: string): Promise<number> {
  const output = await run('du', ['--summarize', '--one-file-system', '--block-size=1', folder]);
  return Number.parseInt(output, 10);
}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else await build(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
