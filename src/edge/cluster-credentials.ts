import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Random } from '../core/random.ts';
import type { AccessRead, Login, ReadAccess } from '../forwarder/kafka/cluster-access.ts';
import { readSecret, readTls } from './client-credentials.ts';
import type { SaslConfig, SecretSource, TlsConfig } from './config/cluster-sections.ts';
import { openFileWarnings, type SecretFile } from './pem-files.ts';

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

const tlsNames = { section: 'forwarder.tls', address: 'forwarder.brokers and advertised.listeners' };

/** Reads certificates and secrets each time that it is asked, and says everything that is wrong with them at once. */
export function accessReader(config: AccessConfig, surroundings: Surroundings): ReadAccess {
  return async (): Promise<AccessRead> => {
    const problems: string[] = [];
    const tls = config.tls === undefined ? null : await readTls(config.tls, tlsNames, problems);
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
  return [...warnings, ...(await openFileWarnings(clusterSecretFiles(config)))];
}

/** The files with secrets for getting in. */
export function clusterSecretFiles({ tls, sasl }: AccessConfig): readonly SecretFile[] {
  const secret = sasl === undefined ? undefined : secretOf(sasl);
  return [
    ...(tls?.keyFile === undefined ? [] : [{ setting: 'forwarder.tls.keyFile', path: tls.keyFile }]),
    ...(secret?.kind === 'file' ? [{ setting: secret.setting, path: secret.name }] : []),
  ];
}

const secretOf = (sasl: SaslConfig): SecretSource =>
  sasl.mechanism === 'OAUTHBEARER' ? sasl.token : sasl.password;

async function readLogin(
  sasl: SaslConfig,
  { random, environment }: Surroundings,
  problems: string[],
): Promise<Login | null> {
  const source = secretOf(sasl);
  const { setting } = source;
  const secret = await readSecret(source, environment, problems);
  if (secret === undefined) return null;
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
