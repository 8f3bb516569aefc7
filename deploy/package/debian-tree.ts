import { createHash } from 'node:crypto';
import { chmod, copyFile, lutimes, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Architecture } from './architecture.ts';
import { copyrightFile, licencesIn } from './copyright.ts';

/** Where the bundle lies on an installed machine, without the first slash. */
export const bundlePath = 'usr/lib/headwater';

/** What the product writes about itself. */
export interface Generated {
  readonly manPage: string;
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', string>>;
}

export interface Release {
  readonly version: string;
  /** Seconds since 1970: the time of every file. */
  readonly epoch: number;
}

/** Lays out all of the package but the bundle, which is there already, in `root`: files, maintainer scripts, `DEBIAN/control`. */
export async function layOut(
  checkout: string,
  root: string,
  architecture: Architecture,
  release: Release,
  { manPage, completions }: Generated,
): Promise<void> {
  const own = (name: string): string => join(checkout, 'deploy/package/files', name);
  const copies: readonly (readonly [from: string, to: string])[] = [
    [own('headwater-command.sh'), 'usr/bin/headwater'],
    [own('headwater.service'), 'usr/lib/systemd/system/headwater.service'],
    [own('sysusers.conf'), 'usr/lib/sysusers.d/headwater.conf'],
    [own('tmpfiles.conf'), 'usr/lib/tmpfiles.d/headwater.conf'],
    [own('headwater.yaml'), 'etc/headwater/headwater.yaml'],
    [own('lintian-overrides'), 'usr/share/lintian/overrides/headwater'],
    [join(checkout, 'headwater.example.yaml'), 'usr/share/doc/headwater/headwater.example.yaml'],
    [join(checkout, 'headwater.schema.json'), 'usr/share/doc/headwater/headwater.schema.json'],
    ...['postinst', 'prerm', 'postrm'].map((name) => [own(name), `DEBIAN/${name}`] as const),
  ];
  for (const [from, to] of copies) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await copyFile(from, join(root, to));
  }
  const shared = 'usr/share';
  const texts: readonly (readonly [path: string, content: string | Buffer])[] = [
    [`${shared}/man/man1/headwater.1.gz`, packed(manPage)],
    [`${shared}/bash-completion/completions/headwater`, completions.bash],
    [`${shared}/zsh/vendor-completions/_headwater`, completions.zsh],
    [`${shared}/fish/vendor_completions.d/headwater.fish`, completions.fish],
    [`${shared}/doc/headwater/changelog.gz`, packed(changelog(release))],
    [`${shared}/doc/headwater/CHANGELOG.md.gz`, packed(await readFile(join(checkout, 'CHANGELOG.md')))],
    [`${shared}/doc/headwater/README.md.gz`, packed(await readFile(join(checkout, 'README.md')))],
    [`${shared}/doc/headwater/copyright`, await copyright(checkout, join(root, bundlePath))],
    ['DEBIAN/conffiles', '/etc/headwater/headwater.yaml\n'],
  ];
  for (const [path, content] of texts) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const files = (await filesBelow(root)).filter((path) => !path.startsWith('DEBIAN/'));
  await writeFile(join(root, 'DEBIAN/md5sums'), await md5sums(root, files));
  const control = controlFile(architecture, release, await installedKiB(root, files));
  await writeFile(join(root, 'DEBIAN/control'), control);
  await settle(root, release.epoch);
}

const packed = (content: string | Buffer): Buffer => gzipSync(content, { level: 9 });

const maintainer = 'The Headwater authors <headwater@users.noreply.headwater.example>';

function controlFile(architecture: Architecture, { version }: Release, installed: number): string {
  const anyOf = (tool: string): string => `systemd | systemd-standalone-${tool} | systemd-${tool}`;
  // The glibc is that of the database's prebuilt library.
  const depends = [
    'libc6 (>= 2.34)',
    'libstdc++6',
    'libgcc-s1',
    'libatomic1',
    anyOf('sysusers'),
    anyOf('tmpfiles'),
  ];
  return `${[
    'Package: headwater',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${installed}`,
    `Depends: ${depends.join(', ')}`,
    'Recommends: udev',
    'Suggests: kcat, mosquitto-clients',
    'Section: net',
    'Priority: optional',
    'Description: IoT edge gateway: every reading durable, and once in Apache Kafka',
    ' Headwater takes readings of sensors by MQTT, from serial ports and Modbus,',
    ' acknowledges them when they are durable on this device, and mirrors them to',
    ' Apache Kafka: once, in order, however often power and link fail in between.',
    ' .',
    ' The package brings the Node.js that it was tested with.',
  ].join('\n')}\n`;
}

/** Debian's form of the changelog. What is new for users is in CHANGELOG.md beside it. */
function changelog({ version, epoch }: Release): string {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  return `headwater (${version}) stable; urgency=medium\n\n  * What is new is in CHANGELOG.md.gz beside this file.\n\n -- ${maintainer}  ${date}\n`;
}

async function copyright(checkout: string, bundle: string): Promise<string> {
  const own = {
    files: ['*'],
    licence: 'MIT',
    text: await readFile(join(checkout, 'LICENSE'), 'utf8'),
    author: 'The Headwater authors',
  };
  const node = {
    files: [`${bundlePath}/bin/node`],
    licence: 'Node.js and what is in it',
    text: await readFile(join(bundle, 'bin/LICENSE.node'), 'utf8'),
    author: 'Node.js contributors, and those that the text of the licence names',
    isCollection: true,
  };
  return copyrightFile(own, [node, ...(await licencesIn(bundle, bundlePath))]);
}

/** Paths of all files below a folder, sorted. */
async function filesBelow(root: string, folder = ''): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const found = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    }),
  );
  return found.flat().sort();
}

async function md5sums(root: string, files: readonly string[]): Promise<string> {
  let sums = '';
  for (const path of files)
    sums += `${createHash('md5')
      .update(await readFile(join(root, path)))
      .digest('hex')}  ${path}\n`;
  return sums;
}

/** From the sizes of files: what a file system makes of them would differ between machines. */
async function installedKiB(root: string, files: readonly string[]): Promise<number> {
  let kib = 0;
  for (const path of files) kib += Math.ceil((await stat(join(root, path))).size / 1024);
  return kib;
}

const executable =
  /^(?:usr\/bin\/headwater|usr\/lib\/headwater\/bin\/(?:headwater|node)|DEBIAN\/(?:postinst|prerm|postrm))$/;

/** Gives every file the rights and the time that it has in the package, whoever builds it and whenever. */
async function settle(root: string, epoch: number, folder = ''): Promise<void> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await settle(root, epoch, path);
    else await chmod(join(root, path), executable.test(path) ? 0o755 : 0o644);
    await lutimes(join(root, path), epoch, epoch);
  }
  await chmod(join(root, folder), 0o755);
  await lutimes(join(root, folder), epoch, epoch);
}
