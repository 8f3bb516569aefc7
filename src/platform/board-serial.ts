import { readFile } from 'node:fs/promises';

/** The device tree of a Raspberry Pi, by both its names; else the name that the system gave itself when installed. */
const sources = [
  '/proc/device-tree/serial-number',
  '/sys/firmware/devicetree/base/serial-number',
  '/etc/machine-id',
];

/**
 * What tells this board from all others, or null if nothing does. A card that is put into another board brings
 * everything along but this.
 */
export async function boardSerial(paths: readonly string[] = sources): Promise<string | null> {
  for (const path of paths) {
    // The device tree ends its texts with a zero byte.
    const serial = (await readFile(path, 'utf8').catch(() => '')).replaceAll('\0', '').trim();
    if (/^[\w.:-]{1,128}$/.test(serial)) return serial;
  }
  return null;
}
