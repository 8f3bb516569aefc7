import { createPrivateKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** What a certificate says of whom it is for. */
export interface CertificateSubject {
  /** The common name. */
  readonly name: string;
  /** By which a client may dial: names of hosts. */
  readonly hosts: readonly string[];
  /** The same as IP addresses. */
  readonly addresses: readonly string[];
}

const SERIAL_LENGTH = 16;

/** RFC 5280, 4.1.2.5: a certificate without an end. It begins in 1970, so that no clock that was never set comes before it. */
const validity = { notBefore: new Date(0), notAfter: new Date('9999-12-31T23:59:59Z') };

/** A new private key, in PEM: P-256, which small boards can compute with, and which costs a server little. */
export function newServerKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * A certificate for a server with this P-256 key, which proves itself: clients have to be given it. Who has the key can make no
 * other certificates by it. In PEM.
 */
export async function selfSignedCertificate(
  key: string,
  { name, hosts, addresses }: CertificateSubject,
  random: Random,
): Promise<string> {
  // Loaded only where one is made, once in the life of a data folder. The second does not load without the first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webKeys(createPrivateKey(key));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // The first bit says that it is a positive number, the second that it is not a shorter one.
    serialNumber: `40${Buffer.from(random.bytes(SERIAL_LENGTH - 1)).toString('hex')}`,
    name: [{ CN: [name] }],
    ...validity,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([
        ...hosts.map((value) => ({ type: 'dns' as const, value })),
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

async function webKeys(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const { d: _secret, ...publicPart } = privateKey.export({ format: 'jwk' });
  const imported = (jwk: webcrypto.JsonWebKey, usage: webcrypto.KeyUsage) =>
    webcrypto.subtle.importKey('jwk', jwk, algorithm, true, [usage]);
  return {
    privateKey: await imported(privateKey.export({ format: 'jwk' }), 'sign'),
    publicKey: await imported(publicPart, 'verify'),
  };
}
