import { type ScramMechanism, scramKeys } from '../../forwarder/kafka/scram-keys.ts';

/** What a server keeps to let a user in by SCRAM (RFC 5802, section 3); all but the number in base64. */
export interface ScramVerifier {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

export type ScramVerifiers = Readonly<Record<ScramMechanism, ScramVerifier>>;

/**
 * The verifier of a password. Runs in a thread.
 * @param salt in base64
 */
export async function scramVerifier(
  mechanism: ScramMechanism,
  password: Uint8Array,
  salt: string,
  iterations: number,
): Promise<ScramVerifier> {
  const keys = await scramKeys(mechanism, password, Buffer.from(salt, 'base64'), iterations);
  const { storedKey, serverKey } = keys;
  return {
    salt,
    iterations,
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
  };
}
