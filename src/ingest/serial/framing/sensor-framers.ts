import type { Framer } from '../frame.ts';
import { headerFramer } from './header-framer.ts';

/** Nova SDS011, particles: AA C0, six bytes, their sum, AB. */
export function sds011Framer(): Framer {
  return headerFramer({
    header: Uint8Array.of(0xaa, 0xc0),
    length: 10,
    checksum: { kind: 'sum-8', from: 2 },
    tail: Uint8Array.of(0xab),
  });
}

/** Plantower PMS5003 and 7003, particles: 42 4D, 28 as the number of bytes that follow, 13 words, the sum of all that. */
export function pms5003Framer(): Framer {
  return headerFramer({
    header: Uint8Array.of(0x42, 0x4d, 0, 28),
    length: 32,
    checksum: { kind: 'sum-16', from: 0 },
  });
}

/** Winsen MH-Z19, carbon dioxide, as it answers the command 86: FF 86, six bytes, what is missing from the sum without FF to 256. */
export function mhz19Framer(): Framer {
  return headerFramer({
    header: Uint8Array.of(0xff, 0x86),
    length: 9,
    checksum: { kind: 'negative-sum-8', from: 1 },
  });
}
