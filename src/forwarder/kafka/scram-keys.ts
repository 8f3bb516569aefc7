import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export type ScramMechanism = (typeof scramMechanisms)[number];

/** What both sides derive from a password. A server keeps all but `clientKey`, which proves that one has the password. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const hashes = {
  'SCRAM-SHA-256': { name: 'sha256', length: 32 },
  'SCRAM-SHA-512': { name: 'sha512', length: 64 },
} as const;

const derived = promisify(pbkdf2);

/**
 * RFC 5802, section 3, with the hashes of RFC 7677. As Kafka's own clients and brokers, it takes the password as the bytes that
 * it is, without SASLprep. Runs in a thread.
 */
export async function scramKeys(
  mechanism: ScramMechanism,
  password: string | Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const { name, length } = hashes[mechanism];
  const salted = await derived(password, salt, iterations, length, name);
  const clientKey = scramHmac(mechanism, salted, 'Client Key');
  const storedKey = createHash(name).update(clientKey).digest();
  return { clientKey, storedKey, serverKey: scramHmac(mechanism, salted, 'Server Key') };
}

/** The HMAC with the hash of the mechanism. */
export const scramHmac = (mechanism: ScramMechanism, key: Uint8Array, text: string): Buffer =>
  createHmac(hashes[mechanism].name, key).update(text).digest();
