import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export type ScramMechanism = (typeof scramMechanisms)[number];

/** What a server keeps to let a user in by SCRAM (RFC 5802, section 3); all but the number in base64. */
export interface ScramVerifier {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

export type ScramVerifiers = Readonly<Record<ScramMechanism, ScramVerifier>>;

const hashes = {
  'SCRAM-SHA-256': { name: 'sha256', length: 32 },
  'SCRAM-SHA-512': { name: 'sha512', length: 64 },
} as const;

const pbkdf2ed = promisify(pbkdf2);

/**
 * The verifier of a password by RFC 5802 and RFC 7677. As Kafka's own clients and brokers, it takes the password as the
 * bytes that it is, without SASLprep. Runs in a thread.
 * @param salt in base64
 */
export async function scramVerifier(
  mechanism: ScramMechanism,
  password: Uint8Array,
  salt: string,
  iterations: number,
): Promise<ScramVerifier> {
  const { name, length } = hashes[mechanism];
  const salted = await pbkdf2ed(password, Buffer.from(salt, 'base64'), iterations, length, name);
  const keyed = (text: string): Buffer => createHmac(name, salted).update(text).digest();
  return {
    salt,
    iterations,
    storedKey: createHash(name).update(keyed('Client Key')).digest('base64'),
    serverKey: keyed('Server Key').toString('base64'),
  };
}
