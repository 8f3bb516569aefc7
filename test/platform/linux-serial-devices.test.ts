import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { linuxSerialDevices } from '../../src/platform/linux-serial-devices.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A file system with these files, and with links to what is in it. */
async function machine(
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>>,
): Promise<Awaited<ReturnType<typeof temporaryFolder>>> {
  const folder = await temporaryFolder();
  const at = (path: string): string => join(folder.path, path);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(at(path)), { recursive: true });
    const isOutside = target === '/dev/null';
    await symlink(isOutside ? target : relative(dirname(at(path)), at(target)), at(path));
  }
  return folder;
}

const hub = '/sys/devices/platform/scb/usb1/1-1';

/** A USB adapter with a serial port, as a Raspberry Pi shows it; on `socket` of a hub. */
const adapter = (name: string, socket: string, attributes: Readonly<Record<string, string>>) => ({
  files: {
    ...Object.fromEntries(
      Object.entries(attributes).map(([attribute, text]) => [`${hub}/${socket}/${attribute}`, `${text}\n`]),
    ),
    [`${hub}/${socket}/${socket}:1.0/${name}/tty/${name}/dev`]: '188:0\n',
    [`/dev/${name}`]: '',
  },
  links: {
    [`/sys/class/tty/${name}`]: `${hub}/${socket}/${socket}:1.0/${name}/tty/${name}`,
    [`${hub}/${socket}/${socket}:1.0/${name}/tty/${name}/device`]: `${hub}/${socket}/${socket}:1.0/${name}`,
    [`/dev/serial/by-path/platform-usb-0:${socket}:1.0-port0`]: `/dev/${name}`,
  },
});

const ftdi = adapter('ttyUSB0', '1-1.2', {
  idVendor: '0403',
  idProduct: '6001',
  serial: 'A50285BI',
  manufacturer: 'FTDI',
});
const cheap = adapter('ttyUSB1', '1-1.3', { idVendor: '1a86', idProduct: '7523' });

test('serial ports are those of USB with what they say of themselves, and UARTs that are there', async () => {
  const uart = '/sys/devices/platform/soc/fe201000.serial/tty';
  await using root = await machine(
    {
      ...ftdi.files,
      ...cheap.files,
      [`${uart}/ttyAMA0/type`]: '32\n',
      [`${uart}/ttyS3/type`]: '0\n',
      '/dev/ttyAMA0': '',
      '/dev/ttyS3': '',
      '/dev/tty0': '',
      '/sys/devices/virtual/tty/tty0/dev': '4:0\n',
    },
    {
      ...ftdi.links,
      ...cheap.links,
      '/dev/serial/by-id/usb-FTDI_FT232R-port0': '/dev/ttyUSB0',
      '/sys/class/tty/ttyAMA0': `${uart}/ttyAMA0`,
      [`${uart}/ttyAMA0/device`]: '/sys/devices/platform/soc/fe201000.serial',
      '/sys/class/tty/ttyS3': `${uart}/ttyS3`,
      [`${uart}/ttyS3/device`]: '/sys/devices/platform/soc/fe201000.serial',
      '/sys/class/tty/tty0': '/sys/devices/virtual/tty/tty0',
    },
  );
  expect(await linuxSerialDevices([], root.path)).toEqual([
    { path: '/dev/ttyAMA0', links: [], usb: null },
    {
      path: '/dev/ttyUSB0',
      links: [
        '/dev/serial/by-id/usb-FTDI_FT232R-port0',
        '/dev/serial/by-path/platform-usb-0:1-1.2:1.0-port0',
      ],
      usb: { vendor: '0403', product: '6001', serial: 'A50285BI', maker: 'FTDI' },
    },
    {
      path: '/dev/ttyUSB1',
      links: ['/dev/serial/by-path/platform-usb-0:1-1.3:1.0-port0'],
      usb: { vendor: '1a86', product: '7523', serial: null, maker: null },
    },
  ]);
});

test('a port without a device file, as in a container, is none', async () => {
  const { '/dev/ttyUSB0': _, ...files } = ftdi.files;
  await using root = await machine(files, ftdi.links);
  expect(await linuxSerialDevices([], root.path)).toEqual([]);
});

test('what fits a pattern is found wherever it is, with the device behind a link, and files are not', async () => {
  await using root = await machine(
    { ...ftdi.files, '/dev/sensors/notes-wind': '' },
    {
      ...ftdi.links,
      '/dev/sensors/port-wind': '/dev/ttyUSB0',
      '/dev/sensors/port-lost': '/dev/ttyUSB7',
      '/run/pty/port-rain': '/dev/null',
    },
  );
  const patterns = ['/dev/sensors/*', '/run/pty/port-*', '/dev/ttyUSB*', '/nowhere/*', '/dev/sensors/port-w'];
  const [first, ...others] = await linuxSerialDevices(patterns, root.path);
  expect(first).toEqual({ path: '/dev/null', links: ['/run/pty/port-rain'], usb: null });
  expect(others).toEqual([
    {
      path: '/dev/ttyUSB0',
      links: ['/dev/serial/by-path/platform-usb-0:1-1.2:1.0-port0', '/dev/sensors/port-wind'],
      usb: { vendor: '0403', product: '6001', serial: 'A50285BI', maker: 'FTDI' },
    },
  ]);
});

test('a machine without sysfs has none, and this one does not make it fail', async () => {
  await using root = await machine({}, {});
  expect(await linuxSerialDevices(['/dev/*'], root.path)).toEqual([]);
  await expect(linuxSerialDevices([])).resolves.toBeInstanceOf(Array);
});
