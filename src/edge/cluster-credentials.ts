import type { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Random } from '../core/random.ts';
import type { AccessRead, Login, ReadAccess, TlsAccess } from '../forwarder/kafka/cluster-access.ts';
import { readAtMost } from '../platform/bounded-file.ts';
import type { SaslConfig, SecretSource, TlsConfig } from './config/cluster-sections.ts';
import { isOpenToOthers, readCertificates, readKey, whyUnreadable } from './pem-files.ts';

/** How the gateway gets into the cluster, as it is configured. */
export interface AccessConfig {
  readonly tls: TlsConfig | undefined;
  readonly sasl: SaslConfig | undefined;
}

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads certificates and secrets each time that it is asked, and says everything that is wrong with them at once. */
export function accessReader(config: AccessConfig, surroundings: Surroundings): ReadAccess {
  return async (): Promise<AccessRead> => {
    const problems: string[] = [];
    const tls = config.tls === undefined ? null : await readTls(config.tls, problems);
    const login = config.sasl === undefined ? null : await readLogin(config.sasl, surroundings, problems);
    if (problems.length > 0) return { ok: false, problems };
    return { ok: true, access: { tls, login, nowMs: surroundings.clock.wallMs() } };
  };
}

/** What the user should know about the access before anything is sent: what is wrong, and what is unwise. */
export async function accessWarnings(config: AccessConfig, read: ReadAccess): Promise<readonly string[]> {
  const { tls, sasl } = config;
  const answer = await read();
  const warnings = answer.ok ? [] : [...answer.problems];
  if (sasl !== undefined && tls === undefined && !sasl.mechanism.startsWith('SCRAM'))
    warnings.push(
      `forwarder.sasl: without forwarder.tls, ${sasl.mechanism} sends the secret for everybody on the way to read; ` +
        'set forwarder.tls, or take SCRAM-SHA-512',
    );
  for (const { setting, path } of secretFiles(config))
    if (await isOpenToOthers(path))
      warnings.push(
        `${setting}: every user of this device may read this file; take that right away: chmod o-r`,
      );
  return warnings;
}

function secretFiles({ tls, sasl }: AccessConfig): readonly { setting: string; path: string }[] {
  const secret = sasl === undefined ? undefined : secretOf(sasl);
  return [
    ...(tls?.keyFile === undefined ? [] : [{ setting: 'forwarder.tls.keyFile', path: tls.keyFile }]),
    ...(secret?.kind === 'file' ? [{ setting: secret.setting, path: secret.name }] : []),
  ];
}

const secretOf = (sasl: SaslConfig): SecretSource =>
  sasl.mechanism === 'OAUTHBEARER' ? sasl.token : sasl.password;

// TLS

async function readTls(config: TlsConfig, problems: string[]): Promise<TlsAccess | null> {
  const { caFile, certFile, keyFile, serverName = null } = config;
  const ca =
    caFile === undefined ? undefined : await readCertificates('forwarder.tls.caFile', caFile, problems);
  const own =
    certFile === undefined ? undefined : await readCertificates('forwarder.tls.certFile', certFile, problems);
  const key = keyFile === undefined ? undefined : await readKey('forwarder.tls.keyFile', keyFile, problems);
  if (problems.length > 0) return null;
  const [certificate] = own ?? [];
  if (certificate && key && !certificate.checkPrivateKey(key)) {
    problems.push(
      `forwarder.tls.keyFile: ${keyFile} is not the key of the certificate in ${certFile}; give the two that belong together`,
    );
    return null;
  }
  if (ca === undefined) trustSystem();
  try {
    const context = createSecureContext({
      ...(ca && { ca: ca.map(String) }),
      ...(own &&
        key && { cert: own.map(String).join(''), key: String(key.export({ type: 'pkcs8', format: 'pem' })) }),
    });
    return { context, hasCaFile: ca !== undefined, serverName, certificate: validityOf(certificate) };
  } catch (error) {
    problems.push(`forwarder.tls: OpenSSL refuses these certificates: ${messageOf(error)}; make new ones`);
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

// SASL

async function readLogin(
  sasl: SaslConfig,
  { random, environment }: Surroundings,
  problems: string[],
): Promise<Login | null> {
  const source = secretOf(sasl);
  const { setting } = source;
  const secret = source.kind === 'file' ? await readSecret(source, problems) : environment[source.name];
  if (secret === undefined) {
    // The name is not told: who takes a setting for another has written the secret there.
    if (source.kind === 'variable')
      problems.push(
        `${setting}: there is no environment variable of this name; set it where the gateway is started`,
      );
    return null;
  }
  if (sasl.mechanism !== 'OAUTHBEARER') {
    if (secret === '') problems.push(`${setting}: the password is empty; write it there`);
    if (secret.includes('\0')) problems.push(`${setting}: a password has no zero bytes; write it as text`);
    const nonce = Buffer.from(random.bytes(limits.scramNonceBytes)).toString('base64url');
    return { mechanism: sasl.mechanism, username: sasl.username, password: secret, setting, nonce };
  }
  const token = secret.trim();
  // RFC 6750: anything else could end the message early.
  if (!/^[\x21-\x7e]+$/.test(token))
    problems.push(`${setting}: there is no token, which is one line without spaces; write it there`);
  return { mechanism: 'OAUTHBEARER', token, setting };
}

/** Without its last line end, which editors add. Neither path nor content is told: either may be the secret. */
async function readSecret({ name, setting }: SecretSource, problems: string[]): Promise<string | undefined> {
  try {
    const bytes = await readAtMost(name, limits.credentialFileBytesMax);
    if (bytes !== null) return bytes.toString('utf8').replace(/\r?\n$/, '');
    problems.push(`${setting}: this file is too long to hold a secret; correct the path`);
  } catch (error) {
    problems.push(`${setting}: this file cannot be read: ${whyUnreadable(error)}`);
  }
  return undefined;
}
