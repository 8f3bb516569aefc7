import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, type Certified, certificateAuthority } from '../support/certificates.ts';
import type { Properties } from './broker.ts';
import { type Cluster, startCluster } from './cluster.ts';

export const PASSWORD = 'pw-7f1d';
const HOSTS = ['127.0.0.1', 'localhost'];
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
/** How long a login counts on the listener SHORT. */
export const SHORT_SESSION_MS = 2_000;

const MODULES = 'org.apache.kafka.common.security';
/** What each mechanism wants to know on the broker's side. */
const jaas: Readonly<Record<(typeof MECHANISMS)[number], string>> = {
  PLAIN: `${MODULES}.plain.PlainLoginModule required user_gw1="${PASSWORD}";`,
  'SCRAM-SHA-256': `${MODULES}.scram.ScramLoginModule required;`,
  'SCRAM-SHA-512': `${MODULES}.scram.ScramLoginModule required;`,
  OAUTHBEARER: `${MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
};

export interface SecuredBroker {
  readonly cluster: Cluster;
  readonly authority: Authority;
  readonly caFile: string;
  /** Writes a file that only its owner may read, and gives its path. */
  write(name: string, content: string): Promise<string>;
  /** The files of a certificate for a gateway. */
  writeCertificate(name: string, certified: Certified): Promise<{ certFile: string; keyFile: string }>;
}

/**
 * One broker with an authorizer and listeners of every kind. Whoever comes to PLAINTEXT, TLS or STALE (whose certificate has expired),
 * nobody in particular, may do everything; MTLS, SASL, LOGIN (without TLS) and SHORT (logins that soon end) know their users, who may do nothing yet.
 */
export async function startSecuredBroker(folder: string): Promise<SecuredBroker> {
  const authority = certificateAuthority('Test CA');
  await mkdir(folder, { recursive: true });
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const own = authority.issue({ name: 'broker', hosts: HOSTS });
  const keystore = await write('broker.pem', own.key + own.certificate + authority.certificate);
  const expired = authority.issue({ name: 'broker', hosts: HOSTS, toMs: Date.now() - 60_000 });
  const staleKeystore = await write('stale.pem', expired.key + expired.certificate + authority.certificate);
  const caFile = await write('ca.pem', authority.certificate);
  const cluster = await startCluster({
    brokers: 1,
    listeners: {
      TLS: 'SSL',
      STALE: 'SSL',
      MTLS: 'SSL',
      SASL: 'SASL_SSL',
      LOGIN: 'SASL_PLAINTEXT',
      SHORT: 'SASL_SSL',
    },
    users: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((name) => `${name}=[name=gw1,password=${PASSWORD}]`),
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keystore,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': caFile,
      'listener.name.stale.ssl.keystore.type': 'PEM',
      'listener.name.stale.ssl.keystore.location': staleKeystore,
      'listener.name.mtls.ssl.client.auth': 'required',
      'sasl.enabled.mechanisms': MECHANISMS.join(','),
      'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
      ...loginProperties('sasl'),
      ...loginProperties('login'),
      ...loginProperties('short'),
      'listener.name.short.plain.connections.max.reauth.ms': SHORT_SESSION_MS,
    },
  });
  const writeCertificate = async (name: string, { certificate, key }: Certified) => ({
    certFile: await write(`${name}.pem`, certificate),
    keyFile: await write(`${name}.key`, key),
  });
  return { cluster, authority, caFile, write, writeCertificate };
}

const loginProperties = (listener: string): Properties =>
  Object.fromEntries(
    MECHANISMS.map((mechanism) => [
      `listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`,
      jaas[mechanism],
    ]),
  );

/** A token without a signature, which Kafka takes unless it is told to want one. */
export function token(subject: string, expiresAtMs: number): string {
  const claims = { sub: subject, iat: Math.floor(expiresAtMs / 1000) - 3600, exp: expiresAtMs / 1000 };
  const parts = [JSON.stringify({ alg: 'none' }), JSON.stringify(claims)];
  return `${parts.map((part) => Buffer.from(part).toString('base64url')).join('.')}.`;
}
