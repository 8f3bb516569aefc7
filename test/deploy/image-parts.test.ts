import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { makeRoot, mirrorsIn, packages } from '../../deploy/raspberry-pi/debian.ts';
import { imageBytes, layout, partitionTable } from '../../deploy/raspberry-pi/layout.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { SmallRoot } from './small-root.ts';

const MIB = 1024 * 1024;

describe('the layout of a card', () => {
  test.each([1, 400 * MIB, 400 * MIB + 1, 1900 * MIB])(
    'of a root of %d bytes has no gaps, overlaps or odd sizes',
    (bytes) => {
      const partitions = layout(bytes);
      let end = 4 * MIB;
      for (const { startBytes, bytes: size } of partitions) {
        expect(startBytes).toBe(end);
        expect(size % (4 * MIB)).toBe(0);
        end = startBytes + size;
      }
      expect(imageBytes(partitions)).toBe(end);
      expect(partitions[1]?.bytes).toBeGreaterThan(bytes);
    },
  );

  test('is a table that sfdisk reads', () => {
    expect(partitionTable(layout(100 * MIB))).toBe(
      [
        'label: dos',
        'unit: sectors',
        'start=8192, size=524288, type=c, bootable',
        'start=532480, size=237568, type=83',
        'start=770048, size=524288, type=83',
        '',
      ].join('\n'),
    );
  });
});

describe('the mirrors of a machine', () => {
  const line = (...fields: readonly string[]): string => `${fields.join('\t')}\n`;

  test('are those of its apt, whoever else has packages there', () => {
    const targets = [
      line('Somebody', 'stable', 'https://packages.example.com/'),
      line('Debian', 'bookworm-updates', 'http://mirror.example.com/debian/'),
      line('Debian', 'bookworm', 'http://mirror.example.com/debian/'),
      line('Debian', 'bookworm-security', 'http://mirror.example.com/security/'),
    ].join('');
    const debian = 'http://mirror.example.com/debian/';
    expect(mirrorsIn(targets)).toEqual({ debian, security: 'http://mirror.example.com/security/' });
  });

  test('have updates for security beside them, if apt does not say where', () => {
    expect(mirrorsIn(line('Debian', 'trixie', 'http://mirror.example.com/debian'))?.security).toBe(
      'http://mirror.example.com/debian-security',
    );
  });

  test('are not guessed', () => {
    expect(mirrorsIn(line('Ubuntu', 'noble', 'http://mirror.example.com/ubuntu/'))).toBeNull();
    expect(mirrorsIn('')).toBeNull();
  });

  test('are where a root comes from', () => {
    const command = makeRoot({ debian: 'http://one.example', security: 'http://two.example' }, 'root.tar');
    expect(command).toContain('deb http://one.example trixie main non-free-firmware');
    expect(command).toContain('deb http://two.example trixie-security main non-free-firmware');
    expect(new Set(packages).size).toBe(packages.length);
  });
});

describe('the data partition', () => {
  const script = fileURLToPath(
    new URL('../../deploy/raspberry-pi/root/usr/lib/headwater-image/data-partition', import.meta.url),
  );

  /** A disk of 4 GiB to which the image was just written: the last partition ends with the image. */
  async function disk(root: SmallRoot, name: string, partition: string): Promise<void> {
    await root.write(`sys/devices/${name}/size`, '8388608\n');
    await root.link(`sys/class/block/${name}`, `/sys/devices/${name}`);
    for (const [number, start, size] of [
      [1, 8192, 524288],
      [2, 532480, 1187840],
      [3, 1720320, 524288],
    ]) {
      const path = `sys/devices/${name}/${partition}${number}`;
      for (const [file, value] of Object.entries({ partition: number, start, size }))
        await root.write(`${path}/${file}`, `${value}\n`);
      await root.link(`sys/class/block/${partition}${number}`, `/${path}`);
    }
  }

  /** A card that the root is on. */
  async function card(path: string): Promise<SmallRoot> {
    const root = await SmallRoot.in(path);
    await disk(root, 'mmcblk0', 'mmcblk0p');
    await root.link('sys/dev/block/179:2', '/sys/devices/mmcblk0/mmcblk0p2');
    await root.standIn('mountpoint', '[ "$*" = "-d /run/headwater-root/image" ] && echo 179:2');
    await root.standIn('lsblk', "printf '%s\\n' '' HWBOOT hwroot hwdata");
    await root.write('data/lost+found/.keep', '');
    await root.write('etc/machine-id', `${'a'.repeat(32)}\n`);
    for (const program of ['sfdisk', 'partx', 'e2fsck', 'mount', 'resize2fs', 'chown'])
      await root.standIn(program);
    return root;
  }

  /** Whether the script came to its end, with all that the gateway needs in place. */
  const isReady = async (root: SmallRoot): Promise<boolean> =>
    (await root.text('data/system/machine-id')) === `${'a'.repeat(32)}\n`;

  test('gets the whole card, and is looked at before it is mounted', async () => {
    await using folder = await temporaryFolder();
    const root = await card(folder.path);
    expect(await root.run(script)).toMatchObject({ code: 0 });
    expect((await root.calls()).filter((call) => !/^(?:mountpoint|lsblk) /.test(call)).slice(0, 5)).toEqual([
      'sfdisk --quiet --no-reread --no-tell-kernel --force -N 3 /dev/mmcblk0',
      'partx --update --nr 3 /dev/mmcblk0',
      'e2fsck -p /dev/mmcblk0p3',
      'mount -t ext4 -o noatime,nodev,nosuid,errors=panic /dev/mmcblk0p3 /data',
      'resize2fs /dev/mmcblk0p3',
    ]);
    expect(await root.text('run/issue.d/headwater-data.issue')).toBe('');
    expect(await isReady(root)).toBe(true);
  });

  test('has a cache that is for root alone, apart from the one of the gateway', async () => {
    await using folder = await temporaryFolder();
    const root = await card(folder.path);
    await root.run(script);
    const calls = await root.calls();
    expect(calls).toContain('mount --bind /data/system/compiled-by-root /var/cache/headwater-root');
    expect(calls).toContain('chown root:root /data/system/compiled-by-root');
    expect(await root.mode('data/system/compiled-by-root')).toBe('700');
  });

  test.each(['sfdisk', 'partx', 'resize2fs'])(
    'serves at its size when it cannot be grown because %s fails, and people are told',
    async (program) => {
      await using folder = await temporaryFolder();
      const root = await card(folder.path);
      await root.standIn(program, 'echo "no luck" >&2; exit 1');
      const { code, said } = await root.run(script);
      expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('no luck') });
      expect(await root.text('run/issue.d/headwater-data.issue')).toMatch(
        /^The data partition could not be grown.*\n$/,
      );
      expect((await root.calls()).some((call) => call.startsWith('mount -t ext4'))).toBe(true);
      expect(await isReady(root)).toBe(true);
    },
  );

  test('is that of the card that the root is on, when another one has the same labels, and people are told', async () => {
    await using folder = await temporaryFolder();
    const root = await card(folder.path);
    await disk(root, 'sda', 'sda');
    // The one that udev saw last has the link.
    await root.write('dev/sda2', '');
    await root.link('dev/disk/by-label/hwroot', '../../sda2');
    await root.standIn('lsblk', "printf '%s\\n' HWBOOT hwroot hwdata '' HWBOOT hwroot hwdata");
    expect(await root.run(script)).toMatchObject({ code: 0 });
    expect(await root.calls()).toContain(
      'mount -t ext4 -o noatime,nodev,nosuid,errors=panic /dev/mmcblk0p3 /data',
    );
    expect(await root.text('run/issue.d/headwater-data.issue')).toMatch(
      /^Two cards or sticks of Headwater.*take one out/,
    );
  });

  test('is found without an overlay as well', async () => {
    await using folder = await temporaryFolder();
    const root = await card(folder.path);
    // Where there is a folder only, this is said as if it were an answer.
    await root.standIn(
      'mountpoint',
      '[ "$*" = "-d /" ] && echo 179:2 || { echo "$2 is not a mountpoint"; exit 32; }',
    );
    expect(await root.run(script)).toMatchObject({ code: 0 });
    expect(await isReady(root)).toBe(true);
  });

  test('is looked for on no other card when that of the root is not known', async () => {
    await using folder = await temporaryFolder();
    const root = await card(folder.path);
    await root.standIn('mountpoint', 'echo 0:42');
    expect((await root.run(script)).code).not.toBe(0);
    expect((await root.calls()).filter((call) => call.startsWith('mount '))).toEqual([]);
  });

  test('that cannot be mounted starts nothing', async () => {
    await using folder = await temporaryFolder();
    const root = await card(folder.path);
    await root.standIn('mount', 'exit 32');
    expect((await root.run(script)).code).not.toBe(0);
    expect(await isReady(root)).toBe(false);
  });
});

describe('programs for arm64', () => {
  const script = fileURLToPath(new URL('../../deploy/register-emulator', import.meta.url));
  const emulators = 'proc/sys/fs/binfmt_misc';

  /** On a machine that says this of its emulator, if it has one; and where one can be registered or not. */
  async function registered(
    path: string,
    ofMachine: string | undefined,
    mount = '',
  ): Promise<{ readonly code: number; readonly said: string; readonly line: string }> {
    const root = await SmallRoot.in(path);
    await root.write(`${emulators}/register`, '');
    if (ofMachine !== undefined) await root.write(`${emulators}/qemu-aarch64`, ofMachine);
    await root.standIn('mount', mount);
    const { code, said } = await root.run(script);
    return { code, said, line: await root.text(`${emulators}/register`) };
  }

  test('run by the emulator of the machine, if it has one', async () => {
    await using folder = await temporaryFolder();
    const machine = 'enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POF\noffset 0\n';
    const { code, said, line } = await registered(folder.path, machine, 'exit 1');
    expect({ code, said, line }).toEqual({ code: 0, said: '', line: '' });
  });

  test.each([
    ['there is none', undefined],
    ['it is turned off', 'disabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: POF\n'],
    ['it is not held open for other roots', 'enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: PO\n'],
  ])('run by one of the namespace, if %s', async (_why, ofMachine) => {
    await using folder = await temporaryFolder();
    const { code, line } = await registered(folder.path, ofMachine);
    expect({ code, line }).toEqual({ code: 0, line: expect.stringMatching(/^:qemu-aarch64:M::/) });
  });

  test('do not run where a namespace has none of its own either, and it is said what is missing', async () => {
    await using folder = await temporaryFolder();
    const { code, said, line } = await registered(folder.path, undefined, 'exit 32');
    expect({ code, line }).toEqual({ code: 1, line: '' });
    expect(said).toContain('Linux 6.7 or later, or qemu-user-static registered with binfmt-support');
  });
});

describe('what root runs', () => {
  const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
  /** Folders of the gateway's user, and where they are on the data partition. */
  const ofGateway =
    /\/var\/(?:lib|cache)\/headwater(?![\w-])|\/data\/(?:headwater|system\/compiled)(?![\w-])/;

  /** Units and drop-ins of image and package, by their paths. */
  async function units(): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    for (const folder of ['package/files', 'raspberry-pi/root/usr/lib/systemd/system'])
      for (const path of await readdir(join(deploy, folder), { recursive: true }))
        if (/\.(?:service|timer|path|socket|mount)$|\.d\/.*\.conf$/.test(path)) {
          found.set(path, (await readFile(join(deploy, folder, path), 'utf8')).split('\n'));
        }
    return found;
  }

  test('is not taken out of a folder of the gateway, nor its cache', async () => {
    const all = [...(await units())].filter(([, lines]) => !lines.includes('User=headwater'));
    expect(all.map(([path]) => path)).toEqual(
      expect.arrayContaining(['headwater-announce.service', 'headwater-prepare.service']),
    );
    const wrong = all.flatMap(([path, lines]) =>
      lines
        // Whether something changes there may be looked at.
        .filter((line) => ofGateway.test(line) && !line.startsWith('PathChanged='))
        .map((line) => `${path}: ${line}`),
    );
    expect(wrong).toEqual([]);
  });

  test('in the service of the gateway is a script, never Node.js', async () => {
    const commands = [...(await units()).values()].flat().filter((line) => /^Exec\w+=[^/]*[+!]/.test(line));
    expect(commands).toHaveLength(3);
    // They have the gateway's environment, where the cache of the gateway is named.
    for (const command of commands)
      expect(command).toMatch(/=\+(?:\/usr\/lib\/headwater-image\/application|\/bin\/(?:systemctl|sh)) /);
  });
});

test('a machine without the tools is told what to install', () => {
  const builder = fileURLToPath(new URL('../../deploy/raspberry-pi/build-image.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [builder], { env: { PATH: '/nowhere' } });
  expect(status).toBe(1);
  expect(String(stderr)).toMatch(
    /^run "apt-get install --no-install-recommends .*mmdebstrap.* xz-utils" first/,
  );
});
