import { run } from './commands.ts';

/** The release of Debian that the image is made of. Its kernel drives the Raspberry Pi 3 and 4 families, and not the 5. */
export const suite = 'trixie';

/** Firmware of the boards is not free software. */
const components = 'main non-free-firmware';

/** What the image has of Debian, besides what these need and what every Debian has. */
export const packages: readonly string[] = [
  // A system that starts
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'kmod',
  'initramfs-tools',
  'busybox',
  'zstd',
  'linux-image-arm64',
  'raspi-firmware',
  'firmware-brcm80211',
  'wireless-regdb',
  // Network, names and time
  'systemd-resolved',
  'systemd-timesyncd',
  'avahi-daemon',
  'libnss-mdns',
  'libnss-myhostname',
  'libnss-resolve',
  'wpasupplicant',
  'iproute2',
  'iputils-ping',
  'ca-certificates',
  'openssh-server',
  'tzdata',
  // Card and memory
  'dosfstools',
  'e2fsprogs',
  'fdisk',
  'systemd-zram-generator',
  // For whoever looks what is wrong
  'iw',
  'less',
  'procps',
  // The gateway
  'libatomic1',
  'libstdc++6',
];

/** What is not unpacked: texts that nobody reads on a gateway, and device trees of boards that this image is not for. */
const leftOut: readonly string[] = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/lib/linux-image-*/*',
  'path-include=/usr/lib/linux-image-*/broadcom/*',
];

/** Where Debian is downloaded from. */
export interface Mirrors {
  readonly debian: string;
  readonly security: string;
}

/**
 * The mirrors that this machine itself uses.
 * @throws Error if apt knows none
 */
export async function mirrorsOfThisMachine(): Promise<Mirrors> {
  const format = ['--format', '$(ORIGIN)\t$(RELEASE)\t$(REPO_URI)'];
  const targets = await run('apt-get', ['indextargets', ...format, 'Created-By: Packages']);
  const mirrors = mirrorsIn(targets);
  if (mirrors === null)
    throw new Error('apt knows no mirror of Debian: run "apt-get update", or name one with --mirror URL');
  return mirrors;
}

/** The mirrors in lines of origin, release and address; null if there is none of Debian. Pure. */
export function mirrorsIn(targets: string): Mirrors | null {
  const debian = targets
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([origin]) => origin === 'Debian')
    .map(([, release = '', address = '']) => ({ release, address }));
  const first = debian.find(({ release }) => !release.includes('-') && !release.includes('/'));
  const security = debian.find(
    ({ release }) => /[-/](?:security|updates)$/.test(release) && release.includes('security'),
  );
  if (first === undefined) return null;
  return {
    debian: first.address,
    security: security?.address ?? `${first.address.replace(/\/$/, '')}-security`,
  };
}

/** The command that makes a root of these packages, as an archive. No initrd: the image makes one, once. */
export function makeRoot(mirrors: Mirrors, archive: string): readonly string[] {
  const source = (mirror: string, release: string): string => `deb ${mirror} ${release} ${components}`;
  return [
    'env',
    'INITRD=No',
    'mmdebstrap',
    '--mode=root',
    '--arch=arm64',
    '--variant=minbase',
    '--verbose',
    '--aptopt=APT::Install-Recommends "false"',
    ...leftOut.map((option) => `--dpkgopt=${option}`),
    '--dpkgopt=force-confold',
    // A kernel's installation would have it made many times, by an emulator.
    '--setup-hook=mkdir -p "$1/etc/initramfs-tools"; echo update_initramfs=no >"$1/etc/initramfs-tools/update-initramfs.conf"',
    `--include=${packages.join(',')}`,
    suite,
    archive,
    source(mirrors.debian, suite),
    source(mirrors.debian, `${suite}-updates`),
    source(mirrors.security, `${suite}-security`),
  ];
}
