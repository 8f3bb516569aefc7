import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccessConfig, accessReader, accessWarnings } from '../../src/edge/cluster-credentials.ts';
import type { SaslConfig } from '../../src/edge/config/cluster-sections.ts';
import type { AccessRead } from '../../src/forwarder/kafka/cluster-access.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PASSWORD = 'correct horse';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** Writes a file that only its owner may read. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}

const reader = (config: Partial<AccessConfig>, environment: Record<string, string> = {}) =>
  accessReader(
    { tls: undefined, sasl: undefined, ...config },
    { clock: nodeClock, random: nodeRandom, environment },
  );

const problemsOf = (read: AccessRead): readonly string[] => (read.ok ? [] : read.problems);

const byPassword = (kind: 'file' | 'variable', name: string): SaslConfig => ({
  mechanism: 'SCRAM-SHA-512',
  username: 'gw1',
  password: {
    setting: kind === 'file' ? 'forwarder.sasl.passwordFile' : 'forwarder.sasl.passwordEnv',
    kind,
    name,
  },
});

const byToken = (name: string): SaslConfig => ({
  mechanism: 'OAUTHBEARER',
  token: { setting: 'forwarder.sasl.tokenFile', kind: 'file', name },
});

describe('a secret', () => {
  it('is read without the line end that editors add, and anew each time', async () => {
    const path = await file('password', `${PASSWORD}\n`);
    const read = reader({ sasl: byPassword('file', path) });
    expect(await read()).toMatchObject({
      ok: true,
      access: { login: { username: 'gw1', password: PASSWORD } },
    });
    await writeFile(path, 'renewed');
    expect(await read()).toMatchObject({ access: { login: { password: 'renewed' } } });
  });

  it('comes from the environment', async () => {
    const read = reader({ sasl: byPassword('variable', 'P') }, { P: PASSWORD });
    expect(await read()).toMatchObject({ access: { login: { password: PASSWORD } } });
  });

  it('of SCRAM gets another nonce each time, without a comma', async () => {
    const read = reader({ sasl: byPassword('variable', 'P') }, { P: PASSWORD });
    const nonces = [await read(), await read()].map((one) => (one.ok ? one.access.login : null));
    expect(nonces[0]).not.toEqual(nonces[1]);
    expect(nonces[0]).toMatchObject({ nonce: expect.stringMatching(/^[\w-]{24}$/) });
  });

  it('is a token without the white space around it', async () => {
    const read = reader({ sasl: byToken(await file('token', ' a.b.c \r\n')) });
    expect(await read()).toMatchObject({ access: { login: { mechanism: 'OAUTHBEARER', token: 'a.b.c' } } });
  });

  it.each([
    [
      'that is not there',
      null,
      'passwordFile: this file cannot be read: it is not there; write it, or correct the path',
    ],
    ['that is empty', '\n', 'passwordFile: the password is empty'],
    ['with a zero byte', 'a\0b', 'passwordFile: a password has no zero bytes'],
    [
      'that is endless',
      new Uint8Array(5 * 1024 * 1024),
      'passwordFile: this file is too long to hold a secret',
    ],
  ])('%s is a problem with what to do', async (_, content, problem) => {
    const path = content === null ? join(folder.path, 'missing') : await file('password', content);
    const problems = problemsOf(await reader({ sasl: byPassword('file', path) })());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`forwarder.sasl.${problem}`);
  });

  it.each(['', 'two words', 'a\x01b'])(
    'that is no token is a problem, and not shown: %j',
    async (content) => {
      const problems = problemsOf(await reader({ sasl: byToken(await file('token', content)) })());
      expect(problems).toEqual([
        'forwarder.sasl.tokenFile: there is no token, which is one line without spaces; write it there',
      ]);
    },
  );

  it('that is missing in the environment is a problem, and what stands in its place is not shown', async () => {
    const problems = problemsOf(await reader({ sasl: byPassword('variable', 'hunter2') })());
    expect(problems).toEqual([
      'forwarder.sasl.passwordEnv: there is no environment variable of this name; set it where the gateway is started',
    ]);
  });
});

describe('certificates', () => {
  const authority = certificateAuthority('Test CA');
  const own = authority.issue({ name: 'gw1' });

  it('are read, with the dates of our own', async () => {
    const toMs = Math.floor(Date.now() / 1000) * 1000 + 60_000;
    const short = authority.issue({ name: 'gw1', toMs });
    const tls = {
      caFile: await file('ca', `# ours\n${authority.certificate}`),
      certFile: await file('cert', short.certificate + authority.certificate),
      keyFile: await file('key', short.key),
    };
    expect(await reader({ tls })()).toMatchObject({
      ok: true,
      access: { tls: { hasCaFile: true, serverName: null, certificate: { toMs } }, login: null },
    });
  });

  it('are those of the system where no file is named', async () => {
    expect(await reader({ tls: {} })()).toMatchObject({
      access: { tls: { hasCaFile: false, certificate: null } },
    });
  });

  it('and every problem with them is told at once', async () => {
    await mkdir(join(folder.path, 'folder'));
    const tls = {
      caFile: join(folder.path, 'missing'),
      certFile: await file('cert', own.certificate.replace(/\n[^-\n]{60,}\n/, '\nMIIB\n')),
      keyFile: join(folder.path, 'folder'),
    };
    const problems = problemsOf(await reader({ tls, sasl: byPassword('variable', 'P') })());
    expect(problems.map((problem) => problem.replaceAll(folder.path, ''))).toEqual([
      'forwarder.tls.caFile: /missing cannot be read: it is not there; write it, or correct the path',
      'forwarder.tls.certFile: a certificate in /cert is damaged; copy the file again',
      'forwarder.tls.keyFile: /folder cannot be read: it is a folder; name the file in it',
      'forwarder.sasl.passwordEnv: there is no environment variable of this name; set it where the gateway is started',
    ]);
  });

  it('in another format are told from PEM', async () => {
    const der = Buffer.from(own.certificate.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    const problems = problemsOf(await reader({ tls: { caFile: await file('ca', der) } })());
    expect(problems[0]).toContain('holds no certificate in PEM');
    expect(problems[0]).toContain('openssl x509 -inform der');
  });

  it('and a key of another certificate do not fit', async () => {
    const tls = { certFile: await file('cert', own.certificate), keyFile: await file('key', authority.key) };
    const problems = problemsOf(await reader({ tls })());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('is not the key of the certificate in');
  });

  it.each([
    ['no key', 'no key', 'holds no private key in PEM'],
    [
      'a locked key',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
      'locked by a passphrase',
    ],
  ])('and %s in the place of the key are told apart', async (_, content, words) => {
    const tls = { certFile: await file('cert', own.certificate), keyFile: await file('key', content) };
    expect(problemsOf(await reader({ tls })())[0]).toContain(words);
  });
});

describe('before anything is sent', () => {
  const warningsOf = async (config: Partial<AccessConfig>, environment?: Record<string, string>) =>
    await accessWarnings({ tls: undefined, sasl: undefined, ...config }, reader(config, environment));

  it('nothing is told when all is well', async () => {
    const path = await file('password', PASSWORD);
    expect(await warningsOf({ sasl: byPassword('file', path) })).toEqual([]);
  });

  it.each([
    ['PLAIN', { ...byPassword('variable', 'P'), mechanism: 'PLAIN' } as SaslConfig, 1],
    ['SCRAM', byPassword('variable', 'P'), 0],
  ])('the user is told that %s without TLS shows the secret, if it does', async (_, sasl, count) => {
    const warnings = await warningsOf({ sasl }, { P: PASSWORD });
    expect(warnings).toHaveLength(count);
    expect(await warningsOf({ sasl, tls: {} }, { P: PASSWORD })).toEqual([]);
    if (count === 1) expect(warnings[0]).toContain('PLAIN sends the secret for everybody on the way to read');
  });

  it('a secret that all users may read is told, and one that is missing', async () => {
    const path = await file('password', PASSWORD);
    await chmod(path, 0o644);
    expect(await warningsOf({ sasl: byPassword('file', path) })).toEqual([
      'forwarder.sasl.passwordFile: every user of this device may read or change this file; take that right away: chmod o-rwx',
    ]);
    expect(await warningsOf({ sasl: byPassword('file', `${path}x`) })).toHaveLength(1);
  });
});
