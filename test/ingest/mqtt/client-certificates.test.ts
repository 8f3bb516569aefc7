import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { type CertificateRequest, certificateAuthority } from '../../support/certificates.ts';
import { until } from './harness.ts';
import { connect } from './packets.ts';
import { tlsSite } from './tls-site.ts';

const HOUR_MS = 3_600_000;

/** The name that the gateway takes from a certificate of the clients' CA, or why it cuts the connection. */
async function nameFrom(
  clientCertificates: 'optional' | 'required',
  request: CertificateRequest | null,
  options: ConnectionOptions = {},
): Promise<string | null | undefined> {
  await using site = await tlsSite(clientCertificates);
  const { harness, clientCa } = site;
  const issued = request === null ? null : clientCa.issue(request);
  const shown = issued === null ? {} : { cert: issued.certificate, key: issued.key };
  // With TLS 1.3 a client is done before it hears that it is not let in.
  const socket: TLSSocket | null = await site.dial({ ...shown, ...options }).catch(() => null);
  socket?.write(connect('device'));
  const refused = (): string | undefined =>
    ['bad-certificate', 'no-certificate'].find((reason) => harness.refusedConnections(reason) > 0);
  await until(() => harness.access.attempts.length > 0 || refused() !== undefined, 'a decision');
  const reason = refused();
  if (reason === undefined) return harness.access.attempts[0]?.peer.certificateName;
  expect(harness.access.attempts).toEqual([]);
  return `${reason}: ${harness.logger.lines.join('\n')}`;
}

const versions = [{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }] as const;

test.each(versions)('the common name of a certificate of the CA is who it is, with %j', async (version) => {
  for (const mode of ['optional', 'required'] as const)
    expect(await nameFrom(mode, { name: 'pump', purpose: 'client' }, version)).toBe('pump');
  expect(await nameFrom('optional', null, version)).toBe(null);
  expect(await nameFrom('required', null, version)).toMatch(/^no-certificate: .*each client needs one/);
});

test.each([
  ['that has expired', { name: 'pump', toMs: Date.now() - HOUR_MS / 2 }, /has expired: renew it/],
  [
    'that is not valid yet',
    { name: 'pump', fromMs: Date.now() + HOUR_MS / 2 },
    /not valid yet: set the clock/,
  ],
  ['for servers', { name: 'pump', purpose: 'server' }, /not one for clients.*clientAuth/],
  ['with two names', { name: 'pump', otherName: 'admin' }, /needs one common name/],
  ['without a name', { name: '' }, /needs one common name/],
] as [string, CertificateRequest, RegExp][])(
  'a certificate %s is refused in either mode',
  async (_, request, message) => {
    for (const mode of ['optional', 'required'] as const) {
      const answer = await nameFrom(mode, request);
      expect(answer).toMatch(/^bad-certificate: /);
      expect(answer).toMatch(message);
    }
  },
);

test.each(['optional', 'required'] as const)(
  'with %s certificates, one of another CA or of its own is refused',
  async (mode) => {
    // Of the same name as the right one: what counts is the signature.
    const others = [certificateAuthority('client CA').issue({ name: 'pump' }), certificateAuthority('pump')];
    for (const { certificate, key } of others) {
      const answer = await nameFrom(mode, null, { cert: certificate, key });
      expect(answer).toMatch(/^bad-certificate: .*not signed by a CA in mqtt\.tls\.clientCaFile/);
    }
  },
);

test('the server CA signs no clients, and without client CAs nobody is asked for a certificate', async () => {
  await using site = await tlsSite('required');
  const { certificate, key } = site.serverCa.issue({ name: 'pump' });
  const socket = await site.dial({ cert: certificate, key }).catch(() => null);
  socket?.write(connect('device'));
  await until(() => site.harness.refusedConnections('bad-certificate') === 1, 'the refusal');
  await using open = await tlsSite('off');
  const ignored = await open.dial({ cert: certificate, key });
  ignored.write(connect('device'));
  await until(() => open.harness.access.attempts.length === 1, 'the login');
  expect(open.harness.access.attempts[0]?.peer.certificateName).toBe(null);
});

test('a session is not resumed: when the CA is replaced, a certificate of the old one counts no longer', async () => {
  await using site = await tlsSite('required');
  const { certificate, key } = site.clientCa.issue({ name: 'pump' });
  for (const version of versions) {
    const first = await site.dial({ cert: certificate, key, ...version });
    let session = first.getSession();
    first.on('session', (newer) => {
      session = newer;
    });
    first.write(connect('device'));
    const before = site.harness.access.attempts.length;
    await until(() => site.harness.access.attempts.length > before, 'the login');
    const again = await site.dial({ cert: certificate, key, ...version, ...(session && { session }) });
    expect(again.isSessionReused()).toBe(false);
  }
  const other = certificateAuthority('other CA');
  const { credentials } = site.tls;
  if (credentials === null) throw new Error('no credentials');
  site.tls.change({ ...credentials, ca: [other.certificate] });
  const late = await site.dial({ cert: certificate, key }).catch(() => null);
  late?.write(connect('device'));
  await until(() => site.harness.refusedConnections('bad-certificate') === 1, 'the refusal');
});
