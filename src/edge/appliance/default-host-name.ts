import { join } from 'node:path';
import { limits } from '../../core/limits.ts';
import { boardSerial } from '../../platform/board-serial.ts';
import type { ApplianceDisk } from './appliance-disk.ts';

const SUFFIX_LENGTH = 4;

/** `headwater-XXXX` by the serial number of the board, or by its first network card: two devices on one desk have two names. */
export async function defaultHostName(disk: ApplianceDisk, root: string): Promise<string> {
  const serial = await boardSerial([
    join(root, '/proc/device-tree/serial-number'),
    join(root, '/sys/firmware/devicetree/base/serial-number'),
  ]);
  const digits = (serial ?? (await firstAddress(disk, root)) ?? '').replaceAll(/[^0-9a-zA-Z]/g, '');
  return digits === '' ? 'headwater' : `headwater-${digits.slice(-SUFFIX_LENGTH).toLowerCase()}`;
}

async function firstAddress(disk: ApplianceDisk, root: string): Promise<string | null> {
  const folder = join(root, '/sys/class/net');
  for (const name of (await disk.list(folder).catch(() => [])).toSorted()) {
    const bytes = await disk
      .read(`${folder}/${name}/address`, limits.networkAddressFileBytesMax)
      .catch(() => null);
    const address = bytes === null ? '' : Buffer.from(bytes).toString('latin1').trim();
    if (/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(address) && /[1-9a-f]/i.test(address)) return address;
  }
  return null;
}
