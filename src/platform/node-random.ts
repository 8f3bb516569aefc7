import { randomBytes } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** The operating system's randomness. */
export const nodeRandom: Random = {
  // 48 bits: the most that both `readUIntBE` and a double hold exactly.
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (count) => new Uint8Array(randomBytes(count)),
};
