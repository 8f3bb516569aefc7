import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { SettingProblem } from '../config/setting-problems.ts';
import type { SettingPath } from '../config/yaml-tree.ts';

/** A text in PEM, and the setting that it is for. */
export interface CredentialText {
  readonly path: SettingPath;
  readonly text: string;
}

/**
 * What is wrong with certificates and keys, each with what to do; nothing of what they are is in it. Which they are, and which
 * belong together, is said by their names: `ca`, `clientCa`, `cert` and `key`. Pure.
 */
export function credentialProblems(texts: readonly CredentialText[]): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  const certificates = new Map<string, X509Certificate>();
  const keys = new Map<string, { readonly key: KeyObject; readonly path: SettingPath }>();
  for (const { path, text } of texts) {
    const name = path.at(-1) ?? '';
    const section = path.slice(0, -1).join('.');
    if (name === 'ca' || name === 'clientCa' || name === 'cert') {
      const read = certificateIn(text);
      if (typeof read === 'string') problems.push({ path, message: read });
      else if (name === 'cert') certificates.set(section, read);
    } else if (name === 'key') {
      const read = keyIn(text);
      if (typeof read === 'string') problems.push({ path, message: read });
      else keys.set(section, { key: read, path });
    }
  }
  for (const [section, { key, path }] of keys) {
    const certificate = certificates.get(section);
    if (certificate !== undefined && !certificate.checkPrivateKey(key))
      problems.push({
        path,
        message: 'this is not the key of the certificate cert; give the two that belong together',
      });
  }
  return problems;
}

/** The first certificate of the text, or what is wrong. */
function certificateIn(text: string): X509Certificate | string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    const [first] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return first;
    return (
      'this is no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----; another format has to be converted, ' +
      'such as by openssl x509 -inform der'
    );
  } catch {
    return 'this certificate is damaged; copy it again, each line of it indented alike';
  }
}

function keyIn(text: string): KeyObject | string {
  try {
    return createPrivateKey(text);
  } catch {
    // The error's own words may quote the key.
    return text.includes('ENCRYPTED')
      ? 'this key is locked by a passphrase, which nobody is there to type; unlock it: openssl pkey -in … -out …'
      : 'this is no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----';
  }
}
