import { fitsPathPattern, type ListSerialDevices, type SerialDevice } from '../../core/serial-device.ts';

/** Which port is meant: by a path, which may have `*` in its last name, or by what its adapter says on USB. */
export type PortWish = { readonly path: string } | { readonly usb: UsbWish };

/** Numbers as in `UsbIdentity`. */
export interface UsbWish {
  readonly vendor: string;
  readonly product: string;
  /** Undefined for an adapter that is the only one of its kind here. */
  readonly serial?: string | undefined;
}

/** What a configured port is called: a serial port, or a Modbus bus. Two of one kind have different names. */
export interface PortName {
  readonly kind: 'serial' | 'modbus';
  readonly name: string;
}

/** A configured port. */
export interface NamedWish extends PortName {
  readonly wish: PortWish;
}

/** What to open now, or why nothing. */
export type Selection =
  /** `path` is what to open, `device` the device file behind it. */
  { readonly path: string; readonly device: string } | { readonly problem: string };

/** Tells what a port is to open at that moment. */
export type LocatePort = (port: PortName) => Promise<Selection>;

/** Looks for one of the ports among the devices that there are; `ports` as {@link selectPort}. */
export const portLocator =
  (ports: readonly NamedWish[], list: ListSerialDevices): LocatePort =>
  async (port) =>
    selectPort(ports, port, await list(pathsOf(ports)));

/** What a wish is called in messages. */
export function wishText(wish: PortWish): string {
  if ('path' in wish) return wish.path;
  const { vendor, product, serial } = wish.usb;
  return `usb ${vendor}:${product}${serial === undefined ? '' : ` serial ${serial}`}`;
}

/** The paths to look for, as `ListSerialDevices` takes them. */
export const pathsOf = (ports: readonly NamedWish[]): readonly string[] =>
  ports.flatMap(({ wish }) => ('path' in wish ? [wish.path] : []));

/**
 * What a port is to open. It is never one of several by chance, and never what another port stands for that
 * is named more precisely, or as precisely and before it: so no two ever take one device, whichever is plugged in first.
 * @param ports all that are configured, of either kind
 */
export function selectPort(
  ports: readonly NamedWish[],
  { kind, name }: PortName,
  devices: readonly SerialDevice[],
): Selection {
  const index = ports.findIndex((port) => port.kind === kind && port.name === name);
  const port = ports[index];
  if (port === undefined) throw new Error(`broken assumption: there is a port ${kind} ${name}`);
  const { wish } = port;
  const fitting = devices.filter((device) => isMeant(wish, device));
  const owners = fitting.map((device) => ownerOf(ports, index, device));
  const free = fitting.filter((_, at) => owners[at] === undefined);
  const [only] = free;
  if (only !== undefined && free.length === 1)
    return { path: isExact(wish) ? wish.path : only.path, device: only.path };
  if (only !== undefined) return { problem: ambiguity(port, free) };
  const owner = owners.find((other) => other !== undefined);
  const [taken] = fitting;
  if (owner !== undefined && taken !== undefined)
    return {
      problem: `${wishText(wish)} stands for ${taken.path}, which is the port ${ownerText(owner)} already. Give each of them its own: headwater serial list shows what there is`,
    };
  // What is at a path that is written out is told best by an attempt to open it.
  return isExact(wish) ? { path: wish.path, device: wish.path } : { problem: absence(port) };
}

const isExact = (wish: PortWish): wish is { readonly path: string } =>
  'path' in wish && !wish.path.includes('*');

function isMeant(wish: PortWish, { path, links, usb }: SerialDevice): boolean {
  if ('path' in wish) return [path, ...links].some((name) => fitsPathPattern(wish.path, name));
  const { vendor, product, serial } = wish.usb;
  return (
    usb !== null &&
    usb.vendor === vendor &&
    usb.product === product &&
    (serial === undefined || usb.serial === serial)
  );
}

/** The higher, the fewer devices a wish can stand for. */
function precision(wish: PortWish): number {
  if (isExact(wish)) return 2;
  return 'usb' in wish && wish.usb.serial !== undefined ? 1 : 0;
}

/** The other port that the device belongs to; undefined if there is none. */
function ownerOf(ports: readonly NamedWish[], index: number, device: SerialDevice): NamedWish | undefined {
  const own = ports[index];
  return ports.find(({ wish }, at) => {
    if (own === undefined || at === index || !isMeant(wish, device)) return false;
    const more = precision(wish) - precision(own.wish);
    return more > 0 || (more === 0 && at < index);
  });
}

const ownerText = ({ kind, name }: PortName): string =>
  kind === 'serial' ? name : `of the Modbus bus ${name}`;

/** The section that says which port is meant. */
const sectionOf = ({ kind }: PortName): string => (kind === 'serial' ? 'serial' : 'modbus.port');

/** How many of several devices a message names. */
const shownDevices = 4;

function ambiguity(port: NamedWish, devices: readonly SerialDevice[]): string {
  const { wish } = port;
  const section = sectionOf(port);
  const shown = devices.slice(0, shownDevices).map(({ path, links }) => links.at(-1) ?? path);
  const all = `${shown.join(', ')}${devices.length > shownDevices ? ' and others' : ''}`;
  const serials = devices.flatMap(({ usb }) => usb?.serial ?? []);
  const canTell = 'usb' in wish && new Set(serials).size === devices.length;
  return `${wishText(wish)} stands for several ports. Write one of them as ${section}.path: ${all}${canTell ? `; or add its serial number to ${section}.usb: ${serials.slice(0, shownDevices).join(', ')}` : ''}`;
}

function absence(port: NamedWish): string {
  const { wish } = port;
  const setting = `${sectionOf(port)}.${'path' in wish ? 'path' : 'usb'}`;
  return `there is no port ${wishText(wish)}. Plug the device in, or correct ${setting} (headwater serial list shows what is there)`;
}
