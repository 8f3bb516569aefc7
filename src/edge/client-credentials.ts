import type { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { TlsAccess } from '../forwarder/kafka/cluster-access.ts';
import { readAtMost } from '../platform/bounded-file.ts';
import type { SecretSource, TlsConfig } from './config/cluster-sections.ts';
import { readCertificates, readKeyPair, whyUnreadable } from './pem-files.ts';

/*
 * What the gateway needs where it is the client: what it trusts, its own certificate, and secrets. All is read anew for each
 * connection, so that what was renewed counts at once.
 */

/**
 * What a connection is secured with, as the files say now; null if something is wrong, which is then among the problems.
 */
export async function readTls(
  config: TlsConfig,
  names: TlsAccess['names'],
  problems: string[],
): Promise<TlsAccess | null> {
  const { caFile, certFile, keyFile, serverName = null } = config;
  const { section } = names;
  const ca = caFile === undefined ? undefined : await readCertificates(`${section}.caFile`, caFile, problems);
  const own =
    certFile === undefined || keyFile === undefined
      ? null
      : await readKeyPair(section, { certFile, keyFile }, problems);
  if (problems.length > 0) return null;
  if (ca === undefined) trustSystem();
  try {
    const context = createSecureContext({
      ...(ca && { ca: ca.map(String) }),
      ...(own && { cert: own.chain, key: own.key }),
    });
    return {
      context,
      names,
      hasCaFile: ca !== undefined,
      serverName,
      certificate: validityOf(own?.certificate),
    };
  } catch (error) {
    problems.push(`${section}: OpenSSL refuses these certificates: ${messageOf(error)}; make new ones`);
    return null;
  }
}

const validityOf = (certificate: X509Certificate | undefined): TlsAccess['certificate'] =>
  certificate === undefined
    ? null
    : { fromMs: certificate.validFromDate.getTime(), toMs: certificate.validToDate.getTime() };

/** Where Node trusts only the CAs that came with it, people expect those that they gave to the system to count as well. */
function trustSystem(): void {
  if (isSystemTrusted) return;
  setDefaultCACertificates([...new Set([...getCACertificates('default'), ...getCACertificates('system')])]);
  isSystemTrusted = true;
}

let isSystemTrusted = false;

/** A secret as it is now; undefined if there is none, which is then among the problems. It is never among them itself. */
export async function readSecret(
  source: SecretSource,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Promise<string | undefined> {
  if (source.kind === 'file') return await readSecretFile(source, problems);
  const secret = environment[source.name];
  // The name is not told: who takes a setting for another has written the secret there.
  if (secret === undefined)
    problems.push(
      `${source.setting}: there is no environment variable of this name; set it where the gateway is started`,
    );
  return secret;
}

/** Without its last line end, which editors add. Neither path nor content is told: either may be the secret. */
async function readSecretFile(
  { name, setting }: SecretSource,
  problems: string[],
): Promise<string | undefined> {
  try {
    const bytes = await readAtMost(name, limits.credentialFileBytesMax);
    if (bytes !== null) return bytes.toString('utf8').replace(/\r?\n$/, '');
    problems.push(`${setting}: this file is too long to hold a secret; correct the path`);
  } catch (error) {
    problems.push(`${setting}: this file cannot be read: ${whyUnreadable(error)}`);
  }
  return undefined;
}
