import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Card, mustRun } from './board.ts';
import { builtImage } from './built-image.ts';
import { DeviceTree, isBuiltIn, modulesFor } from './device-tree.ts';

const SECTOR_BYTES = 512;
const GRAIN_SECTORS = 8192;
const BUILD_MS_MAX = 1_800_000;

/** Of the boards that the image is for. */
const deviceTrees = [
  'bcm2837-rpi-3-b.dtb',
  'bcm2837-rpi-3-b-plus.dtb',
  'bcm2837-rpi-3-a-plus.dtb',
  'bcm2837-rpi-cm3-io3.dtb',
  'bcm2711-rpi-4-b.dtb',
  'bcm2711-rpi-400.dtb',
  'bcm2711-rpi-cm4-io.dtb',
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let image: string;
let card: Card;
/** All files of the root partition. */
let root: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  image = await builtImage();
  card = await Card.flash(image, join(folder.path, 'card'), 2048);
  root = join(folder.path, 'root');
  await mkdir(root);
  const { start } = await card.partition(2);
  await mustRun('debugfs', ['-R', `rdump / ${root}`, `${image}?offset=${start}`]);
}, BUILD_MS_MAX);
afterAll(async () => await folder[Symbol.asyncDispose]());

const text = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

/** Paths of all files below a folder of the root, from the root. */
async function filesBelow(path: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

/** An initrd is an archive of modules, which are compressed already, and behind it a compressed one of all else. */
async function filesOfInitrd(initrd: string): Promise<string> {
  const bytes = await readFile(initrd);
  const rest = bytes.indexOf(Buffer.from('28b52ffd', 'hex'), bytes.indexOf('TRAILER!!!'));
  await writeFile(`${initrd}.rest`, bytes.subarray(rest));
  const list = 'cpio -t --quiet <"$1" && zstd -dcq "$1.rest" | cpio -t --quiet';
  return await mustRun('sh', ['-c', list, 'sh', initrd]);
}

test('the card begins with a master boot record, and every partition on a block that cards erase at once', async () => {
  const { partitiontable } = JSON.parse(await mustRun('sfdisk', ['-J', image]));
  expect(partitiontable.label).toBe('dos');
  expect(partitiontable.partitions.map(({ type }: { type: string }) => type)).toEqual(['c', '83', '83']);
  expect(partitiontable.partitions[0].bootable).toBe(true);
  for (const { start, size } of partitiontable.partitions) {
    expect(start % GRAIN_SECTORS).toBe(0);
    expect(size % GRAIN_SECTORS).toBe(0);
  }
});

test('the file systems are sound and have their labels', async () => {
  const boot = await card.partition(1);
  const bootFile = join(folder.path, 'boot.img');
  const cut = `dd if="$1" of="$2" bs=1M iflag=skip_bytes,count_bytes skip=${boot.start} count=${boot.size} status=none`;
  await mustRun('sh', ['-c', cut, 'sh', image, bootFile]);
  await mustRun('fsck.vfat', ['-n', bootFile]);
  expect(await mustRun('blkid', ['-o', 'value', '-s', 'LABEL', bootFile])).toBe('HWBOOT\n');
  for (const [number, label] of [
    [2, 'hwroot'],
    [3, 'hwdata'],
  ] as const) {
    const { start } = await card.partition(number);
    await mustRun('e2fsck', ['-f', '-n', `${image}?offset=${start}`]);
    const told = await mustRun('blkid', ['-p', '-O', String(start), '-o', 'value', '-s', 'LABEL', image]);
    expect(told).toBe(`${label}\n`);
  }
});

test('the data partition has a second superblock, and room in its tables for a card of 1 TB', async () => {
  const { start } = await card.partition(3);
  const at = `${image}?offset=${start}`;
  await mustRun('dumpe2fs', ['-h', '-o', 'superblock=32768', '-o', 'blocksize=4096', at]);
  const told = await mustRun('dumpe2fs', ['-h', at]);
  expect(told).toMatch(/Reserved GDT blocks: +1[0-9]{2}\n/);
});

test.each([
  ...deviceTrees,
  'bootcode.bin',
  'start.elf',
  'fixup.dat',
  'start4.elf',
  'fixup4.dat',
  'vmlinuz',
  'initrd.img',
  'headwater.example.yaml',
])('the boot partition has %s', async (name) => {
  expect(await card.read(name)).toBeTruthy();
});

test('firmware and kernel find what they start, by names that hold on every board', async () => {
  const config = (await card.read('config.txt')) ?? '';
  for (const line of [
    'arm_64bit=1',
    'upstream_kernel=1',
    'kernel=vmlinuz',
    'initramfs initrd.img followkernel',
  ])
    expect(config.split('\n')).toContain(line);
  const commandLine = (await card.read('cmdline.txt')) ?? '';
  expect(commandLine.trim().split('\n')).toHaveLength(1);
  const words = commandLine.trim().split(' ');
  for (const word of ['root=LABEL=hwroot', 'ro', 'rootwait', 'panic=10', 'fsck.repair=yes'])
    expect(words).toContain(word);
  // The only UART of the pins is for a sensor.
  expect(words.filter((word) => word.startsWith('console='))).toEqual(['console=tty0']);
  expect(words).not.toContain('rw');
});

/** A file of the kernel's list of modules. */
const ofModules = async (name: string): Promise<string> =>
  await text(join('usr/lib/modules', (await readdir(join(root, 'usr/lib/modules')))[0] ?? '', name));

test('the initrd has what finds and mounts a root on a stick, or in an emulator', async () => {
  const { initrd } = await card.forFirmware();
  const names = await filesOfInitrd(initrd);
  for (const name of [
    'xhci-pci',
    'usb-storage',
    'uas',
    'sd_mod',
    'ext4',
    'overlay',
    'virtio_blk',
    'virtio_mmio',
  ])
    expect(names, name).toMatch(new RegExp(`/${name}\\.ko`));
  expect(await ofModules('modules.builtin')).toMatch(/\/mmc_block\.ko/);
  expect(names).toContain('scripts/local-bottom/headwater-overlay');
});

test.each(deviceTrees)(
  'kernel and initrd have a driver for the card and the USB of %s, and all they need',
  async (name) => {
    const { kernel, initrd } = await card.forFirmware();
    const drivers = await readFile(kernel);
    const inInitrd = [...(await filesOfInitrd(initrd)).matchAll(/\/([^/]+)\.ko/g)].map(([, module = '']) =>
      module.replaceAll('-', '_'),
    );
    const aliases = await ofModules('modules.alias');
    const hasDriver = (compatible: string): boolean =>
      isBuiltIn(drivers, compatible) ||
      modulesFor(aliases, compatible).some((module) => inInitrd.includes(module));
    const needed = await (await DeviceTree.read(await card.takeOut(name))).needed(
      /\/(?:mmc|usb|pcie)@[^/]*$/,
    );
    expect([...needed.keys()]).toEqual(
      expect.arrayContaining([expect.stringContaining('/mmc@'), expect.stringContaining('/usb@')]),
    );
    expect([...needed].filter(([, names]) => !names.some(hasDriver))).toEqual([]);
  },
);

test('no two cards share a key or an identity', async () => {
  expect(await text('etc/machine-id')).toBe('');
  const all = await filesBelow('/');
  expect(all.filter((path) => /ssh_host_|\/var\/.*random-seed|credential\.secret/.test(path))).toEqual([]);
  const sizes = await Promise.all(
    all
      .filter((path) => /^\/(?:etc|var|usr\/share\/headwater)/.test(path))
      .map(async (path) => ({ path, content: await readFile(join(root, path), 'latin1').catch(() => '') })),
  );
  expect(sizes.filter(({ content }) => content.includes('PRIVATE KEY-----')).map(({ path }) => path)).toEqual(
    [],
  );
});

test('nobody has a password, and ssh takes none', async () => {
  const shadow = (await text('etc/shadow'))
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  expect(shadow.length).toBeGreaterThan(10);
  expect(shadow.filter(([, hash = '']) => !/^[!*]/.test(hash)).map(([name]) => name)).toEqual([]);
  const sshd = await text('etc/ssh/sshd_config.d/headwater.conf');
  expect(sshd).toContain('PasswordAuthentication no');
  expect(await text('etc/ssh/sshd_config')).toMatch(/^Include \/etc\/ssh\/sshd_config\.d\/\*\.conf/m);
});

test('nothing of the machine that built it is in it', async () => {
  expect(await text('etc/hostname')).toBe('headwater\n');
  expect(await readlink(join(root, 'etc/resolv.conf'))).toBe('../run/systemd/resolve/stub-resolv.conf');
  expect(await readdir(join(root, 'tmp'))).toEqual([]);
  expect(await readdir(join(root, 'var/lib/apt/lists'))).toEqual([]);
});

test('no start of a root that never changes makes again what is made once after an update', async () => {
  const usrMs = (await stat(join(root, 'usr'))).mtimeMs;
  for (const path of ['etc/.updated', 'var/.updated'])
    expect((await stat(join(root, path))).mtimeMs, path).toBeGreaterThanOrEqual(usrMs);
});

test('the clock cannot start before the day of the image', async () => {
  const imageTime = Date.parse((await text('usr/share/headwater-appliance/image-time')).trim());
  expect(Math.abs(imageTime - (await stat(image)).mtimeMs)).toBeLessThan(BUILD_MS_MAX);
  expect((await stat(join(root, 'usr/lib/clock-epoch'))).mtimeMs).toBeLessThanOrEqual(Date.now());
});

test('the gateway is in the root, and its settings come from the data partition', async () => {
  for (const file of ['bin/headwater', 'bin/node', 'app/package.json'])
    expect((await stat(join(root, 'usr/lib/headwater', file))).isFile()).toBe(true);
  expect(await readlink(join(root, 'etc/headwater/headwater.yaml'))).toBe(
    '/data/config/current/headwater.yaml',
  );
});

test('units of the image are in force, and nothing waits for a person or a server', async () => {
  const wanted = await filesBelow('/etc/systemd/system');
  for (const unit of [
    'sysinit.target.wants/headwater-data.service',
    'sysinit.target.wants/headwater-prepare.service',
    'multi-user.target.wants/headwater.service',
    'multi-user.target.wants/headwater-announce.path',
    'multi-user.target.wants/systemd-networkd.service',
  ])
    expect(wanted).toContain(`/etc/systemd/system/${unit}`);
  for (const masked of ['apt-daily.timer', 'sshd-keygen.service', 'systemd-networkd-wait-online.service'])
    expect(await readlink(join(root, 'etc/systemd/system', masked))).toBe('/dev/null');
});

test('brokers are found by names without a dot, with the domain of the network or without one', async () => {
  for (const name of ['20-wired', '25-wireless']) {
    const sections = (await text(`etc/systemd/network/${name}.network`)).split(/^(?=\[)/m);
    for (const by of ['[DHCPv4]', '[DHCPv6]', '[IPv6AcceptRA]'])
      expect(sections.find((section) => section.startsWith(by))?.split('\n')).toContain('UseDomains=yes');
  }
  const resolved = (await text('etc/systemd/resolved.conf.d/headwater.conf')).split('\n');
  expect(resolved).toContain('ResolveUnicastSingleLabel=yes');
});

test('the image is no larger than a card of 2 GB', async () => {
  expect((await stat(image)).size).toBeLessThan(3_800_000 * SECTOR_BYTES);
});
