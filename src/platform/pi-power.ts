import { readFile } from 'node:fs/promises';

/** What the firmware of a Raspberry Pi says of its power supply, as `vcgencmd get_throttled` does: bits; null on other machines. */
export async function piThrottledBits(
  path = '/sys/devices/platform/soc/soc:firmware/get_throttled',
): Promise<number | null> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    return /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : null;
  } catch {
    return null;
  }
}
