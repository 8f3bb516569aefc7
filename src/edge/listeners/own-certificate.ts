import { createPrivateKey, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/logger.ts';
import type { Random } from '../../core/random.ts';
import { replaceFile } from '../../platform/data-folder.ts';
import {
  type CertificateSubject,
  newServerKey,
  selfSignedCertificate,
} from '../../platform/self-signed-certificate.ts';
import { OWN_KEY_FILE, ownCertificatePath } from './certificate-file.ts';

/** A certificate with its key, in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

const OWNER_ONLY = 0o600;
const EVERYBODY = 0o644;

/**
 * The gateway's own certificate: made when it is first needed, then the same for the life of the data folder, because clients were
 * given it. If one of the two files is lost or damaged, another certificate is made, with the same key if that is there.
 * @throws OperatingError `data-folder-unusable`
 */
export async function ownCertificate(
  dataDir: string,
  subject: CertificateSubject,
  random: Random,
  logger: Logger,
): Promise<Certified> {
  const path = ownCertificatePath(dataDir);
  const kept = await readCertificate(path);
  const keptKey = await readKey(join(dataDir, OWN_KEY_FILE));
  const key = keptKey?.key ?? newServerKey();
  // First the key: a power cut between the two leaves one that the next start makes a certificate for.
  if (keptKey?.isPrivate !== true) await replaceFile(join(dataDir, OWN_KEY_FILE), key, OWNER_ONLY);
  if (kept?.checkPrivateKey(createPrivateKey(key))) return { certificate: kept.toString(), key };
  const certificate = await selfSignedCertificate(key, subject, random);
  await replaceFile(path, certificate, EVERYBODY);
  const fingerprint = new X509Certificate(certificate).fingerprint256;
  logger.warn({ path, fingerprint }, 'a new certificate was made; clients have to be given it');
  return { certificate, key };
}

/**
 * How its files are, for who only looks. They are `damaged` if the next start makes another certificate, and null if this user may not
 * read them.
 */
export async function lookAtOwnCertificate(
  dataDir: string,
): Promise<X509Certificate | 'absent' | 'damaged' | null> {
  const path = ownCertificatePath(dataDir);
  const keyPath = join(dataDir, OWN_KEY_FILE);
  const certificate = await readCertificate(path);
  if (certificate === null)
    return (await isForbidden(path)) ? null : (await isThere(path)) ? 'damaged' : 'absent';
  if (await isForbidden(keyPath)) return certificate;
  const key = await readKey(keyPath);
  return key !== null && certificate.checkPrivateKey(createPrivateKey(key.key)) ? certificate : 'damaged';
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const isForbidden = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EACCES',
  );

async function readCertificate(path: string): Promise<X509Certificate | null> {
  try {
    return new X509Certificate(await readFile(path));
  } catch {
    return null;
  }
}

async function readKey(path: string): Promise<{ key: string; isPrivate: boolean } | null> {
  try {
    const key = await readFile(path, 'utf8');
    if (createPrivateKey(key).asymmetricKeyDetails?.namedCurve !== 'prime256v1') return null;
    return { key, isPrivate: ((await stat(path)).mode & 0o077) === 0 };
  } catch {
    return null;
  }
}
