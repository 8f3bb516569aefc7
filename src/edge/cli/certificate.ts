import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf, OperatingError } from '../../core/errors.ts';
import type { Config } from '../config/schema.ts';
import { adminCertificateFile, certificateFile } from '../listeners/certificate-file.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/**
 * `headwater certificate`: the certificate that TLS clients are shown, in PEM on standard output so that it can go into a file; what
 * a person wants to know of it goes to the other output.
 * @throws OperatingError `bad-input` if there is none yet, or none that can be read
 */
export async function showCertificate(
  { mqtt, admin, data }: Config,
  terminal: Terminal,
  isOfAdmin: boolean,
): Promise<ExitCode> {
  const path = isOfAdmin ? adminCertificateFile(admin, data.dir) : certificateFile(mqtt, data.dir);
  const certificate = await read(path);
  const { fingerprint256, subjectAltName = 'none', validFrom, validTo } = certificate;
  await terminal.errors.write(
    [
      `file         ${path}`,
      `SHA-256      ${fingerprint256}`,
      `names        ${subjectAltName.replaceAll(/DNS:|IP Address:/g, '')}`,
      `valid        from ${validFrom} to ${validTo}`,
      '',
    ].join('\n'),
  );
  await terminal.output.write(certificate.toString());
  return exitCodes.ok;
}

async function read(path: string): Promise<X509Certificate> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const message =
      `there is no certificate yet (${messageOf(error)}): the gateway makes one when it first starts with mqtt.tls in its ` +
      'configuration, such as --set mqtt.tls={}, or with admin.tls';
    throw new OperatingError('bad-input', message, { cause: error });
  }
  try {
    return new X509Certificate(bytes);
  } catch (error) {
    throw new OperatingError('bad-input', `${path} holds no certificate in PEM; copy it again`, {
      cause: error,
    });
  }
}
