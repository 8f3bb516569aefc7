import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { scramVerifier } from '../../../src/edge/users/scram.ts';

/** Whether a client that sends this proof knows the password, by what the server keeps (RFC 5802, section 3). */
function isProved(hash: string, storedKey: string, message: string, proof: string): boolean {
  const kept = Buffer.from(storedKey, 'base64');
  const signature = createHmac(hash, kept).update(message).digest();
  const clientKey = Buffer.from(proof, 'base64').map((byte, index) => byte ^ (signature[index] ?? 0));
  return createHash(hash).update(clientKey).digest().equals(kept);
}

test('the exchange of RFC 7677 is verified, and the server proves itself as there', async () => {
  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
  const { storedKey, serverKey } = await scramVerifier('SCRAM-SHA-256', Buffer.from('pencil'), salt, 4096);
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  expect(isProved('sha256', storedKey, message, 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=')).toBe(true);
  expect(isProved('sha256', storedKey, message, 'eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=')).toBe(false);
  const signature = createHmac('sha256', Buffer.from(serverKey, 'base64')).update(message).digest('base64');
  expect(signature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test('a client with SCRAM-SHA-512 is verified in the same way', async () => {
  const password = Buffer.from('pässword');
  const salt = Buffer.from('some salt').toString('base64');
  const kept = await scramVerifier('SCRAM-SHA-512', password, salt, 5000);
  expect(kept).toMatchObject({ salt, iterations: 5000 });
  const salted = pbkdf2Sync(password, 'some salt', 5000, 64, 'sha512');
  const clientKey = createHmac('sha512', salted).update('Client Key').digest();
  const stored = createHash('sha512').update(clientKey).digest();
  const signature = createHmac('sha512', stored).update('message').digest();
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))).toString(
    'base64',
  );
  expect(isProved('sha512', kept.storedKey, 'message', proof)).toBe(true);
  expect(kept.serverKey).toBe(createHmac('sha512', salted).update('Server Key').digest('base64'));
});
