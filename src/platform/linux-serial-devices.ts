import { access, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fitsPathPattern, type SerialDevice, type UsbIdentity } from '../core/serial-device.ts';

/** Where udev links what stays the same, the better one first. */
const stableFolders = ['/dev/serial/by-id', '/dev/serial/by-path'] as const;

/** The screen's terminals, of which there are more than sixty: not worth a look. */
const screenTerminal = /^(?:tty\d*|console|ptmx)$/;

/** What `type` says of a UART that the kernel has reserved a name for and that is not there. */
const noUart = '0';

/**
 * What serial ports Linux has now, by sysfs and the links of udev alone: a slim system has no `udevadm`. As
 * `ListSerialDevices`; nowhere else than on Linux is there one.
 * @param root where the file system begins; another one in tests only
 */
export async function linuxSerialDevices(
  patterns: readonly string[],
  root = '/',
): Promise<readonly SerialDevice[]> {
  const system = new System(await realpath(root));
  const devices = new Map((await system.terminals()).map((device) => [device.path, device]));
  const sought = [...stableFolders.map((folder) => join(folder, '*')), ...patterns];
  for (const { link, path } of (await Promise.all(sought.map((pattern) => system.fitting(pattern)))).flat()) {
    const { links = [], usb = null } = devices.get(path) ?? {};
    const isNew = link !== path && !links.includes(link);
    devices.set(path, { path, links: isNew ? [...links, link] : links, usb });
  }
  return [...devices.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** The file system below a root, whose paths are given without it. */
class System {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** What the kernel knows as serial ports, without their links. */
  async terminals(): Promise<readonly SerialDevice[]> {
    const names = await namesIn(this.#at('/sys/class/tty'));
    const sought = names.filter((name) => !screenTerminal.test(name));
    const found = await Promise.all(sought.map((name) => this.#terminal(name)));
    return found.filter((device) => device !== null);
  }

  /** Character devices whose own path or a link to them fits a pattern, with its `*` in the last name. */
  async fitting(pattern: string): Promise<readonly { readonly link: string; readonly path: string }[]> {
    const folder = dirname(pattern);
    const name = basename(pattern);
    const names = name.includes('*') ? await namesIn(this.#at(folder)) : [name];
    const links = names.filter((each) => fitsPathPattern(name, each)).map((each) => join(folder, each));
    const found = await Promise.all(links.map(async (link) => ({ link, path: await this.#target(link) })));
    return found.flatMap(({ link, path }) => (path === null ? [] : [{ link, path }]));
  }

  /** Null for what is no port: a console, a pseudo-terminal, a UART that is not there. */
  async #terminal(name: string): Promise<SerialDevice | null> {
    const folder = this.#at(join('/sys/class/tty', name));
    const path = join('/dev', name);
    try {
      const [device] = await Promise.all([realpath(join(folder, 'device')), access(this.#at(path))]);
      if ((await textIn(folder, 'type')) === noUart) return null;
      return { path, links: [], usb: await this.#usb(device) };
    } catch {
      return null;
    }
  }

  /** Of the USB device that something in sysfs is a part of; null if it is of none. */
  async #usb(folder: string): Promise<UsbIdentity | null> {
    const vendor = await textIn(folder, 'idVendor');
    if (vendor !== null) {
      const names = ['idProduct', 'serial', 'manufacturer'] as const;
      const [product, serial, maker] = await Promise.all(names.map((name) => textIn(folder, name)));
      return { vendor, product: product ?? '', serial: serial ?? null, maker: maker ?? null };
    }
    const above = dirname(folder);
    return above === folder || above === this.#root ? null : await this.#usb(above);
  }

  /** The device file that a path leads to; null if there is none. */
  async #target(path: string): Promise<string | null> {
    try {
      const target = await realpath(this.#at(path));
      const own = target.startsWith(`${this.#root}/`) ? target.slice(this.#root.length) : target;
      const isPort = own.startsWith('/dev/tty') || (await stat(target)).isCharacterDevice();
      return isPort ? own : null;
    } catch {
      return null;
    }
  }

  #at(path: string): string {
    return join(this.#root, path);
  }
}

/** Empty if the folder is not there. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

/** Null if there is no such attribute, or nothing in it. */
async function textIn(folder: string, attribute: string): Promise<string | null> {
  const text = (await readFile(join(folder, attribute), 'utf8').catch(() => '')).trim();
  return text === '' ? null : text;
}
