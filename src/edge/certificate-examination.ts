import type { X509Certificate } from 'node:crypto';
import type { CertificateEnd, CertificatesExamination } from './certificate-findings.ts';
import { isAdminSecured } from './config/admin-section.ts';
import type { TlsConfig } from './config/cluster-sections.ts';
import { isMqttSecured } from './config/mqtt-sections.ts';
import type { Config } from './config/schema.ts';
import { ownCertificatePath } from './listeners/certificate-file.ts';
import { lookAtOwnCertificate } from './listeners/own-certificate.ts';
import type { TlsFiles } from './listeners/tls-credentials.ts';
import { readCertificates, readKeyPair, type SecretFile } from './pem-files.ts';

/** A listener with TLS, and the files that it is configured with. */
interface SecuredListener {
  readonly section: 'mqtt.tls' | 'admin.tls';
  readonly files: TlsFiles;
}

function securedListeners({ mqtt, admin }: Pick<Config, 'mqtt' | 'admin'>): readonly SecuredListener[] {
  return [
    ...(isMqttSecured(mqtt) ? [{ section: 'mqtt.tls', files: mqtt.tls ?? {} } as const] : []),
    ...(isAdminSecured(admin) ? [{ section: 'admin.tls', files: admin.tls ?? {} } as const] : []),
  ];
}

/** The keys that listeners are configured with. */
export const listenerKeyFiles = (config: Pick<Config, 'mqtt' | 'admin'>): readonly SecretFile[] =>
  securedListeners(config).flatMap(({ section, files: { keyFile } }) =>
    keyFile === undefined ? [] : [{ setting: `${section}.keyFile`, path: keyFile }],
  );

/**
 * Looks at all certificates and keys that the gateway would use, whether it runs or not. Of those for connections that it makes only
 * the end is told here: what else is wrong with them is told of the connection.
 */
export async function examineCertificates(config: Config): Promise<readonly CertificatesExamination[]> {
  const { forwarder, mqtt, data } = config;
  const listeners = securedListeners(config).map((listener) => examineListener(listener, data.dir));
  const clients = [
    ...(forwarder.brokers.length === 0 ? [] : [{ section: 'forwarder.tls', tls: forwarder.tls ?? {} }]),
    ...mqtt.sources.flatMap(({ name, url, tls }) =>
      url.isTls ? [{ section: `mqtt.sources.${name}.tls`, tls }] : [],
    ),
  ].map(({ section, tls }) => examineClient(section, tls));
  return await Promise.all([...listeners, ...clients]);
}

async function examineListener(
  { section, files }: SecuredListener,
  dataDir: string,
): Promise<CertificatesExamination> {
  const { certFile, keyFile, clientCaFile } = files;
  const problems: string[] = [];
  const authorities = await endOfAuthorities(`${section}.clientCaFile`, clientCaFile, problems);
  if (certFile === undefined || keyFile === undefined)
    return { section, problems, ...(await examineOwn(dataDir, authorities)) };
  const pair = await readKeyPair(section, { certFile, keyFile }, problems);
  return { section, problems, making: null, files: [...endOf(certFile, pair?.certificate), ...authorities] };
}

async function examineOwn(
  dataDir: string,
  authorities: readonly CertificateEnd[],
): Promise<Pick<CertificatesExamination, 'making' | 'files'>> {
  const own = await lookAtOwnCertificate(dataDir);
  const path = ownCertificatePath(dataDir);
  if (own === 'absent' || own === 'damaged')
    return { making: { path, isAnew: own === 'damaged' }, files: authorities };
  return { making: null, files: [...endOf(path, own ?? undefined), ...authorities] };
}

async function examineClient(
  section: string,
  { caFile, certFile }: TlsConfig,
): Promise<CertificatesExamination> {
  const toldElsewhere: string[] = [];
  const [certificate] =
    certFile === undefined ? [] : await readCertificates(section, certFile, toldElsewhere);
  const authorities = await endOfAuthorities(section, caFile, toldElsewhere);
  const files = certFile === undefined ? [] : endOf(certFile, certificate);
  return { section, problems: [], making: null, files: [...files, ...authorities] };
}

/** A file of CAs is of use as long as one of them is good: the next one is put beside the old one. */
async function endOfAuthorities(
  setting: string,
  path: string | undefined,
  problems: string[],
): Promise<readonly CertificateEnd[]> {
  if (path === undefined) return [];
  const certificates = await readCertificates(setting, path, problems);
  const [last] = certificates.toSorted(
    (one, other) => other.validToDate.getTime() - one.validToDate.getTime(),
  );
  return endOf(path, last);
}

const endOf = (path: string, certificate: X509Certificate | undefined): readonly CertificateEnd[] =>
  certificate === undefined ? [] : [{ path, endMs: certificate.validToDate.getTime() }];
