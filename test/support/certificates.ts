import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/*
 * X.509 certificates (RFC 5280) for tests, written down byte by byte: Node reads them but makes none, and the tests
 * need no other program for them.
 */

const HOUR_MS = 3_600_000;

export interface CertificateRequest {
  /** The common name, which is the subject. */
  readonly name: string;
  /** A further common name. */
  readonly otherName?: string;
  /** What it may be used for; default: anything. */
  readonly purpose?: 'server' | 'client';
  /** Names of hosts and IPv4 addresses for which it is. */
  readonly hosts?: readonly string[];
  /** Default: an hour ago. */
  readonly fromMs?: number;
  /** Default: in an hour. */
  readonly toMs?: number;
}

/** A certificate with its key, in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Certified {
  /** Signs a certificate with a key of its own. */
  issue(request: CertificateRequest): Certified;
}

/** A CA that nobody knows yet. */
export function certificateAuthority(name: string, dates: Partial<CertificateRequest> = {}): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = { ...dates, name };
  return {
    certificate: certificateOf({
      request: own,
      publicKey: keys.publicKey,
      issuer: name,
      signer: keys.privateKey,
    }),
    key: pemKey(keys.privateKey),
    issue: (request) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = certificateOf({ request, publicKey, issuer: name, signer: keys.privateKey });
      return { certificate, key: pemKey(privateKey) };
    },
  };
}

interface Signing {
  readonly request: CertificateRequest;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly signer: KeyObject;
}

function certificateOf({ request, publicKey, issuer, signer }: Signing): string {
  const { name, fromMs = Date.now() - HOUR_MS, toMs = Date.now() + HOUR_MS } = request;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const isAuthority = name === issuer;
  const content = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(issuer),
    sequence(time(fromMs), time(toMs)),
    distinguishedName(name, request.otherName),
    spki,
    element(0xa3, sequence(...extensions(spki, isAuthority, request))),
  );
  const der = sequence(content, ecdsaWithSha256, bits(sign('sha256', content, signer)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions(
  spki: Buffer,
  isAuthority: boolean,
  { hosts = [], purpose }: CertificateRequest,
): Buffer[] {
  const keyId = createHash('sha1').update(spki).digest();
  const basic = extension('551d13', sequence(...(isAuthority ? [element(0x01, Buffer.from([0xff]))] : [])));
  const subjectKey = extension('551d0e', element(0x04, keyId));
  return [
    basic,
    subjectKey,
    ...(purpose === undefined ? [] : [extension('551d25', sequence(identifier(purposes[purpose])))]),
    ...(hosts.length === 0 ? [] : [extension('551d11', sequence(...hosts.map(alternativeName)))]),
  ];
}

/** Extended key usages: serverAuth and clientAuth. */
const purposes = { server: '2b06010505070301', client: '2b06010505070302' };

function alternativeName(host: string): Buffer {
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(host);
  return isAddress
    ? element(0x87, Buffer.from(host.split('.').map(Number)))
    : element(0x82, Buffer.from(host));
}

const pemKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

// DER

function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  // Java counts no signature over a length that could be shorter.
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

const sequence = (...contents: readonly Buffer[]): Buffer => element(0x30, ...contents);

const integer = (bytes: Buffer): Buffer => element(0x02, bytes);

const bits = (bytes: Buffer): Buffer => element(0x03, Buffer.from([0]), bytes);

const identifier = (hex: string): Buffer => element(0x06, Buffer.from(hex, 'hex'));

const extension = (hex: string, value: Buffer): Buffer => sequence(identifier(hex), element(0x04, value));

const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));

const distinguishedName = (...names: readonly (string | undefined)[]): Buffer =>
  sequence(
    ...names
      .filter((name) => name !== undefined)
      .map((name) => element(0x31, sequence(identifier('550403'), element(0x0c, Buffer.from(name))))),
  );

/** GeneralizedTime, such as 20261126013000Z. */
const time = (ms: number): Buffer =>
  element(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`));
