import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { readAtMost } from '../platform/bounded-file.ts';

/*
 * Certificates and keys in files that somebody else has written, as a setting names them. What is wrong with one, with what to do,
 * goes to a list of problems; no secret is in it.
 */

/** The group may be meant to: a packaged gateway reads keys of root by its own group. */
const OTHERS_MAY = 0o007;

/** The certificates of a file, in their order; none if something is wrong, which is then one of the problems. */
export async function readCertificates(
  setting: string,
  path: string,
  problems: string[],
): Promise<X509Certificate[]> {
  const text = await readText(setting, path, problems);
  if (text === null) return [];
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
    problems.push(
      `${setting}: ${path} holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----; ` +
        'another format has to be converted, such as by openssl x509 -inform der',
    );
  } catch {
    problems.push(`${setting}: a certificate in ${path} is damaged; copy the file again`);
  }
  return [];
}

/** The private key of a file; undefined if something is wrong, which is then one of the problems. */
async function readKey(setting: string, path: string, problems: string[]): Promise<KeyObject | undefined> {
  const text = await readText(setting, path, problems);
  if (text === null) return undefined;
  try {
    return createPrivateKey(text);
  } catch {
    // The error's own words may quote what stands in the file.
    const isLocked = text.includes('ENCRYPTED');
    problems.push(
      isLocked
        ? `${setting}: ${path} is locked by a passphrase, which nobody is there to type; unlock it: openssl pkey -in … -out …`
        : `${setting}: ${path} holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----`,
    );
    return undefined;
  }
}

/** A certificate with its chain, which is first, and its key. */
export interface KeyPair {
  readonly certificate: X509Certificate;
  readonly chain: string;
  readonly key: string;
}

/** Certificate and key of `<section>.certFile` and `keyFile`, in PEM; null if something is wrong, which is then one of the problems. */
export async function readKeyPair(
  section: string,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  problems: string[],
): Promise<KeyPair | null> {
  const certificates = await readCertificates(`${section}.certFile`, certFile, problems);
  const key = await readKey(`${section}.keyFile`, keyFile, problems);
  const [certificate] = certificates;
  if (certificate === undefined || key === undefined) return null;
  if (certificate.checkPrivateKey(key)) {
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { certificate, chain: certificates.map(String).join(''), key: pem };
  }
  problems.push(
    `${section}.keyFile: ${keyFile} is not the key of the certificate in ${certFile}; give the two that belong together`,
  );
  return null;
}

async function readText(setting: string, path: string, problems: string[]): Promise<string | null> {
  try {
    const bytes = await readAtMost(path, limits.credentialFileBytesMax);
    if (bytes !== null) return bytes.toString('utf8');
    problems.push(`${setting}: ${path} is too long to be what it should be; correct the path`);
  } catch (error) {
    problems.push(`${setting}: ${path} cannot be read: ${whyUnreadable(error)}`);
  }
  return null;
}

/** Why a file cannot be read and what to do, in words without its path. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
  switch (code) {
    case 'ENOENT':
      return 'it is not there; write it, or correct the path';
    case 'EACCES':
      return 'the user of the gateway may not; let it (chown, chmod)';
    case 'EISDIR':
      return 'it is a folder; name the file in it';
    default:
      return code;
  }
}

/** A file with a secret, and the setting that names it. */
export interface SecretFile {
  readonly setting: string;
  readonly path: string;
}

/** What to say of files with secrets that every user of this device may read or change; one that is not there is told elsewhere. */
export async function openFileWarnings(files: readonly SecretFile[]): Promise<readonly string[]> {
  const areOpen = await Promise.all(files.map(({ path }) => isOpenToOthers(path)));
  return files
    .filter((_, index) => areOpen[index])
    .map(
      ({ setting }) =>
        `${setting}: every user of this device may read or change this file; take that right away: chmod o-rwx`,
    );
}

async function isOpenToOthers(path: string): Promise<boolean> {
  try {
    return ((await stat(path)).mode & OTHERS_MAY) !== 0;
  } catch {
    return false;
  }
}
