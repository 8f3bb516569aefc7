/** A serial port that the machine has now. */
export interface SerialDevice {
  /** Its device file, `/dev/ttyUSB0`. It may be another one when the adapter is plugged in again. */
  readonly path: string;
  /** Links to it, such as those below `/dev/serial/by-id` and `/dev/serial/by-path`, which stay the same. */
  readonly links: readonly string[];
  /** Null if it is on no USB. */
  readonly usb: UsbIdentity | null;
}

/** What a USB device says of itself; numbers are four hex digits in lower case, as `lsusb` shows them. */
export interface UsbIdentity {
  readonly vendor: string;
  readonly product: string;
  /** Null for the many cheap adapters that have none. */
  readonly serial: string | null;
  readonly maker: string | null;
}

/**
 * What serial ports the machine has now, in the order of their paths. What cannot be read is left out; it never rejects.
 * @param patterns absolute paths, perhaps with `*` in the last name: links and device files that fit are found as well,
 *   wherever they are
 */
export type ListSerialDevices = (patterns: readonly string[]) => Promise<readonly SerialDevice[]>;

/** Whether a path fits a pattern, in which `*` stands for any characters but `/`. In linear time. */
export function fitsPathPattern(pattern: string, path: string): boolean {
  const [start = '', ...rest] = pattern.split('*');
  const end = rest.pop();
  if (end === undefined) return path === pattern;
  if (!path.startsWith(start) || !path.endsWith(end)) return false;
  let at = start.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= path.length - end.length && !path.slice(start.length, path.length - end.length).includes('/');
}
