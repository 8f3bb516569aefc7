import { createSecureContext, type TlsOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Failure } from '../../src/forwarder/cluster/target.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import type { ClusterAccess, Login, TlsAccess } from '../../src/forwarder/kafka/cluster-access.ts';
import { examineKafka } from '../../src/forwarder/kafka/kafka-doctor.ts';
import { findingsOf } from '../../src/forwarder/kafka/kafka-findings.ts';
import { KafkaTarget } from '../../src/forwarder/kafka/kafka-target.ts';
import { SharedLink } from '../../src/forwarder/kafka/link-share.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { type CertificateRequest, type Certified, certificateAuthority } from '../support/certificates.ts';
import { emptySession, readingsTopic } from '../support/empty-session.ts';
import { type FakeServer, fakeBroker, fakeServer, type LoginScript, type Script } from './fake-broker.ts';

const share = new SharedLink(nodeClock, null).shareOf('bulk');
const HOUR_MS = 3_600_000;
const here = ['127.0.0.1', 'localhost'];
const authority = certificateAuthority('Test CA');

const issued = (request: Partial<CertificateRequest> = {}): TlsOptions => {
  const { certificate, key } = authority.issue({ name: 'broker', hosts: here, ...request });
  return { cert: certificate, key };
};

/** What the gateway has: trust in the test's CA, unless it is told otherwise. */
function access(
  change: { tls?: Partial<TlsAccess> | null; login?: Login; nowMs?: number } = {},
): ClusterAccess {
  const names = { section: 'forwarder.tls', address: 'forwarder.brokers and advertised.listeners' };
  const ours = { context: createSecureContext({ ca: authority.certificate }), names, hasCaFile: true };
  const tls = change.tls === null ? null : { ...ours, serverName: null, certificate: null, ...change.tls };
  return { tls, login: change.login ?? null, nowMs: change.nowMs ?? Date.now() };
}

const withOwn = ({ certificate, key }: Certified, fromMs: number, toMs: number): Partial<TlsAccess> => ({
  context: createSecureContext({ ca: authority.certificate, cert: certificate, key }),
  certificate: { fromMs, toMs },
});

/** How the mirror fails, and what the doctor says; neither may differ in substance. */
async function attempt(server: FakeServer, own: ClusterAccess, host = '127.0.0.1') {
  const { port } = server.address;
  const readAccess = () => Promise.resolve({ ok: true, access: own } as const);
  const target = new KafkaTarget({ brokers: [`${host}:${port}`], readAccess, clock: nodeClock, share });
  const failure = await target.open(emptySession);
  await target.close();
  const request = {
    brokers: [{ host, port }],
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    topics: [],
    delivery: 'exactly-once' as const,
    timeoutMs: 2000,
  };
  const findings = findingsOf(await examineKafka({ ...request, readAccess, clock: nodeClock }));
  const wrong = findings.filter(({ level }) => level === 'wrong').map(({ text }) => text);
  return { failure, wrong: wrong.join('\n') };
}

const single = (own: Script['nodes'][number]['address'], rest: Partial<Script> = {}): Script => ({
  clusterId: 'north',
  nodes: [{ id: 1, address: own }],
  ...rest,
});

const secure = (tls: TlsOptions, rest?: Partial<Script>): Promise<FakeServer> =>
  fakeBroker((own) => single(own, rest), tls);

function told(
  { failure, wrong }: { failure: Failure | null; wrong: string },
  kind: string,
  ...words: string[]
) {
  expect(failure?.kind).toBe(kind);
  for (const one of words) {
    expect(failure?.message).toContain(one);
    expect(wrong).toContain(one);
  }
}

describe('TLS', () => {
  test('with a certificate of a known CA works, by address and by name', async () => {
    await using broker = await secure(issued());
    expect((await attempt(broker, access())).wrong).toBe('');
    expect((await attempt(broker, access(), 'localhost')).wrong).toBe('');
  });

  test('asks for the name that it dials, since several brokers may share an address', async () => {
    const asked: string[] = [];
    await using broker = await secure({
      ...issued(),
      SNICallback: (name, callback) => {
        asked.push(name);
        callback(null);
      },
    });
    await attempt(broker, access(), 'localhost');
    expect(new Set(asked)).toEqual(new Set(['localhost']));
  });

  test('without a login to a broker that answers no more after that is no success', async () => {
    await using server = await fakeServer((socket) => socket.once('data', () => socket.end()), issued());
    told(
      await attempt(server, access()),
      'unreachable',
      'the broker may want a login (forwarder.sasl) or a certificate',
    );
  });

  test.each([
    ['a file', true, 'is not signed by a CA in forwarder.tls.caFile'],
    ['the system', false, 'name it in forwarder.tls.caFile'],
  ])('of an unknown CA, where the CAs come from %s', async (_, hasCaFile, words) => {
    await using broker = await secure(issued());
    const context = createSecureContext({ ca: certificateAuthority('Other CA').certificate });
    told(await attempt(broker, access({ tls: { context, hasCaFile } })), 'unreachable', words);
  });

  test('with an expired certificate', async () => {
    await using broker = await secure(
      issued({ fromMs: Date.now() - 2 * HOUR_MS, toMs: Date.now() - HOUR_MS }),
    );
    const today = new Date().toISOString().slice(0, 10);
    const words = `has expired by the clock of this device, which says ${today}; renew it on the broker`;
    told(await attempt(broker, access()), 'unreachable', words);
  });

  test('on a device whose clock is wrong says that the clock could be wrong', async () => {
    await using broker = await secure(
      issued({ fromMs: Date.now() + HOUR_MS, toMs: Date.now() + 2 * HOUR_MS }),
    );
    const words =
      'is not valid yet by the clock of this device, which says 1970-01-02; that clock is probably wrong';
    told(await attempt(broker, access({ nowMs: 24 * HOUR_MS })), 'unreachable', words);
  });

  test('with a certificate for another host names those that it is for', async () => {
    await using broker = await secure(issued({ hosts: ['kafka1', '10.0.0.1'] }));
    const result = await attempt(broker, access());
    told(
      result,
      'unreachable',
      'is not for 127.0.0.1, but for kafka1, 10.0.0.1; use such a name in forwarder.brokers',
    );
    expect((await attempt(broker, access({ tls: { serverName: 'kafka1' } }))).wrong).toBe('');
    told(
      await attempt(broker, access({ tls: { serverName: 'kafka2' } })),
      'unreachable',
      'is not for kafka2, but',
    );
  });

  test('with a certificate for no host at all', async () => {
    await using broker = await secure(issued({ hosts: [] }));
    told(await attempt(broker, access()), 'unreachable', 'is not for 127.0.0.1, but for no host at all');
  });

  test.each([
    [
      'closes',
      (server: Parameters<Parameters<typeof fakeServer>[0]>[0]) => server.once('data', () => server.end()),
    ],
    [
      'answers in plain text',
      (server: Parameters<Parameters<typeof fakeServer>[0]>[0]) => server.end('HTTP/1.1 400\r\n\r\n'),
    ],
  ])('to a port without it, which %s', async (_, serve) => {
    await using server = await fakeServer((socket) => void serve(socket));
    const words = 'does not speak TLS; use the port of a TLS listener, or remove forwarder.tls';
    told(await attempt(server, access()), 'unreachable', words);
  });

  test('in no version that both have', async () => {
    await using broker = await secure({
      ...issued(),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    told(await attempt(broker, access()), 'unreachable', 'no version of TLS in common');
  });

  test('is what a broker expects that sends an alert to whoever does without', async () => {
    await using server = await fakeServer((socket) =>
      socket.once('data', () => socket.end(Buffer.from('\x15\x03\x03\x00\x02\x02\x32', 'latin1'))),
    );
    told(
      await attempt(server, access({ tls: null })),
      'unreachable',
      'the broker expects TLS; set forwarder.tls',
    );
  });
});

describe('mutual TLS', () => {
  const mutual = { ...issued(), requestCert: true, rejectUnauthorized: true, ca: authority.certificate };

  test('works', async () => {
    await using broker = await secure(mutual);
    const tls = withOwn(authority.issue({ name: 'gw1' }), 0, Date.now() + HOUR_MS);
    expect((await attempt(broker, access({ tls }))).wrong).toBe('');
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('without a certificate of ours, %s', async (maxVersion) => {
    await using broker = await secure({ ...mutual, maxVersion });
    const words =
      'the broker wants a certificate of this gateway; set forwarder.tls.certFile and forwarder.tls.keyFile';
    told(await attempt(broker, access()), 'unreachable', words);
  });

  test.each([
    ['expired', -2 * HOUR_MS, -HOUR_MS, 'by the clock of this device it expired on'],
    ['not valid yet', HOUR_MS, 2 * HOUR_MS, 'by the clock of this device it is valid only from'],
  ])('with one that has %s, and a broker that hangs up without a word', async (_, from, to, words) => {
    await using broker = await secure(mutual);
    const [fromMs, toMs] = [Date.now() + from, Date.now() + to];
    const tls = withOwn(authority.issue({ name: 'gw1', fromMs, toMs }), fromMs, toMs);
    told(
      await attempt(broker, access({ tls })),
      'unreachable',
      'certificate of forwarder.tls.certFile',
      words,
    );
  });
});

describe('a login', () => {
  const login: Login = {
    mechanism: 'PLAIN',
    username: 'gw1',
    password: 'correct horse',
    setting: 'forwarder.sasl.passwordFile',
    nonce: 'n',
  };
  const accepting: LoginScript = {
    mechanisms: ['PLAIN'],
    answer: (bytes) => (bytes.toString() === '\0gw1\0correct horse' ? {} : { code: 58, detail: 'no' }),
  };

  test('with the right password works', async () => {
    await using broker = await fakeBroker((own) => single(own, { login: accepting }));
    expect((await attempt(broker, access({ tls: null, login }))).wrong).toBe('');
  });

  test('with the wrong one is told, and not tried at every broker of the list', async () => {
    let logins = 0;
    const refusing: LoginScript = {
      mechanisms: ['PLAIN'],
      answer: () => {
        logins++;
        return { code: 58, detail: 'Authentication failed' };
      },
    };
    await using broker = await fakeBroker((own) => single(own, { login: refusing }));
    const own = access({ tls: null, login });
    told(
      await attempt(broker, own),
      'unauthenticated',
      'refuses the login of gw1 by PLAIN (it says: Authentication failed)',
    );
    logins = 0;
    const brokers = [1, 2, 3].map(() => `127.0.0.1:${broker.address.port}`);
    const readAccess = () => Promise.resolve({ ok: true, access: own } as const);
    const target = new KafkaTarget({ brokers, readAccess, clock: nodeClock, share });
    expect((await target.open(emptySession))?.kind).toBe('unauthenticated');
    await target.close();
    expect(logins).toBe(1);
  });

  test('that another broker refuses says nothing against the topic that was asked about', async () => {
    const refusing: LoginScript = { ...accepting, answer: () => ({ code: 58 }) };
    await using controller = await fakeBroker((own) => single(own, { login: refusing }));
    await using broker = await fakeBroker(() =>
      single(controller.address, { login: accepting, topics: [emptySession.checkpointTopic] }),
    );
    const readAccess = () => Promise.resolve({ ok: true, access: access({ tls: null, login }) } as const);
    const brokers = [`127.0.0.1:${broker.address.port}`];
    const target = new KafkaTarget({ brokers, readAccess, clock: nodeClock, share });
    const failure = await target.open({ ...emptySession, topics: [readingsTopic] });
    await target.close();
    expect(failure?.kind).toBe('unauthenticated');
    expect(failure?.objections).toBeUndefined();
  });

  test.each([
    [
      'another mechanism',
      { ...accepting, mechanisms: ['SCRAM-SHA-512'] },
      'set forwarder.sasl.mechanism to SCRAM-SHA-512',
    ],
    ['none', undefined, 'wants no login on this port'],
  ])('where the broker wants %s', async (_, script, words) => {
    await using broker = await fakeBroker((own) => single(own, script && { login: script }));
    told(await attempt(broker, access({ tls: null, login })), 'unauthenticated', words);
  });

  test('that is answered with nonsense does not end the process', async () => {
    const scram: Login = { ...login, mechanism: 'SCRAM-SHA-256' };
    const script: LoginScript = { mechanisms: ['SCRAM-SHA-256'], answer: () => ({ bytes: 'nonsense' }) };
    await using broker = await fakeBroker((own) => single(own, { login: script }));
    told(
      await attempt(broker, access({ tls: null, login: scram })),
      'unauthenticated',
      'does not follow SCRAM',
    );
  });

  test('that ends is renewed by a new connection, before its time is over', async () => {
    let logins = 0;
    const sessionMs = 60_000;
    const counting: LoginScript = {
      ...accepting,
      sessionMs,
      answer: () => {
        logins++;
        return {};
      },
    };
    await using broker = await fakeBroker((own) => single(own, { login: counting, coordinatorCodes: [15] }));
    let nowMs = 0;
    const clock = { ...nodeClock, monotonicMs: () => nowMs };
    const readAccess = () => Promise.resolve({ ok: true, access: access({ tls: null, login }) } as const);
    const target = new KafkaTarget({
      brokers: [`127.0.0.1:${broker.address.port}`],
      readAccess,
      clock,
      share,
    });
    await target.open(emptySession);
    const atFirst = logins;
    nowMs = (sessionMs * limits.loginSessionUsedPercentMax) / 100 - 1;
    await target.open(emptySession);
    expect(logins).toBe(atFirst);
    nowMs++;
    await target.open(emptySession);
    expect(logins).toBe(atFirst + 1);
    await target.close();
  });
});

describe('our own files', () => {
  test('when they are not as they should be, nobody is dialled', async () => {
    let connections = 0;
    await using server = await fakeServer((socket) => {
      connections++;
      socket.end();
    });
    const problems = [
      'forwarder.tls.caFile: x cannot be read',
      'forwarder.sasl.passwordFile: the password is empty',
    ];
    const readAccess = () => Promise.resolve({ ok: false, problems } as const);
    const brokers = [`127.0.0.1:${server.address.port}`];
    const target = new KafkaTarget({ brokers, readAccess, clock: nodeClock, share });
    expect(await target.open(emptySession)).toEqual({
      kind: 'unreachable',
      cause: 'access',
      message: problems.join('; '),
    });
    const request = {
      brokers: [server.address],
      mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
      topics: [],
      delivery: 'exactly-once' as const,
      timeoutMs: 2000,
    };
    const findings = findingsOf(await examineKafka({ ...request, readAccess, clock: nodeClock }));
    expect(findings).toEqual(problems.map((text) => ({ level: 'wrong', about: 'access', text })));
    expect(connections).toBe(0);
  });
});
