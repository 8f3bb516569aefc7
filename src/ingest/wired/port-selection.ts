import { fitsPathPattern, type SerialDevice } from '../../core/serial-device.ts';

/** Which port is meant: by a path, which may have `*` in its last name, or by what its adapter says on USB. */
export type PortWish = { readonly path: string } | { readonly usb: UsbWish };

/** Numbers as in `UsbIdentity`. */
export interface UsbWish {
  readonly vendor: string;
  readonly product: string;
  /** Undefined for an adapter that is the only one of its kind here. */
  readonly serial?: string | undefined;
}

/** A configured port. */
export interface NamedWish {
  readonly name: string;
  readonly wish: PortWish;
}

/** What to open now, or why nothing. */
export type Selection =
  /** `path` is what to open, `device` the device file behind it. */
  { readonly path: string; readonly device: string } | { readonly problem: string };

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
 * What the port at `index` is to open. It is never one of several by chance, and never what another port stands for that
 * is named more precisely, or as precisely and before it: so no two ever take one device, whichever is plugged in first.
 */
export function selectPort(
  ports: readonly NamedWish[],
  index: number,
  devices: readonly SerialDevice[],
): Selection {
  const port = ports[index];
  if (port === undefined) throw new Error(`broken assumption: there is a port ${index}`);
  const { wish } = port;
  const fitting = devices.filter((device) => isMeant(wish, device));
  const owners = fitting.map((device) => ownerOf(ports, index, device));
  const free = fitting.filter((_, at) => owners[at] === undefined);
  const [only] = free;
  if (only !== undefined && free.length === 1)
    return { path: isExact(wish) ? wish.path : only.path, device: only.path };
  if (only !== undefined) return { problem: ambiguity(wish, free) };
  const owner = owners.find((name) => name !== undefined);
  const [taken] = fitting;
  if (owner !== undefined && taken !== undefined)
    return {
      problem: `${wishText(wish)} stands for ${taken.path}, which is the port ${owner} already. Give each of them its own: headwater serial list shows what there is`,
    };
  // What is at a path that is written out is told best by an attempt to open it.
  return isExact(wish) ? { path: wish.path, device: wish.path } : { problem: absence(wish) };
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

/** The name of the other port that the device belongs to; undefined if there is none. */
function ownerOf(ports: readonly NamedWish[], index: number, device: SerialDevice): string | undefined {
  const own = ports[index];
  const owner = ports.find(({ wish }, at) => {
    if (own === undefined || at === index || !isMeant(wish, device)) return false;
    const more = precision(wish) - precision(own.wish);
    return more > 0 || (more === 0 && at < index);
  });
  return owner?.name;
}

/** How many of several devices a message names. */
const shownDevices = 4;

function ambiguity(wish: PortWish, devices: readonly SerialDevice[]): string {
  const shown = devices.slice(0, shownDevices).map(({ path, links }) => links.at(-1) ?? path);
  const all = `${shown.join(', ')}${devices.length > shownDevices ? ' and others' : ''}`;
  const serials = devices.flatMap(({ usb }) => usb?.serial ?? []);
  const canTell = 'usb' in wish && new Set(serials).size === devices.length;
  return `${wishText(wish)} stands for several ports. Write one of them as serial.path: ${all}${canTell ? `; or add its serial number to serial.usb: ${serials.slice(0, shownDevices).join(', ')}` : ''}`;
}

function absence(wish: PortWish): string {
  const setting = 'path' in wish ? 'serial.path' : 'serial.usb';
  return `there is no port ${wishText(wish)}. Plug the device in, or correct ${setting} (headwater serial list shows what is there)`;
}
