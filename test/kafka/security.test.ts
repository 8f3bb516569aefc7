import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { session } from '../edge/cli/fake-gateway.ts';
import type { Certified } from '../support/certificates.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { drained, statusOf } from './oracles.ts';
import { change, type Permission, permissionsIn } from './permissions.ts';
import {
  PASSWORD,
  type SecuredBroker,
  SHORT_SESSION_MS,
  startSecuredBroker,
  token,
} from './secured-broker.ts';
import { type KafkaTools, kafkaTools } from './tools.ts';
import { until } from './until.ts';

const WAIT_MS_MAX = 60_000;
const HOUR_MS = 3_600_000;
const READINGS = 200;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: SecuredBroker;
let tools: KafkaTools;
let permissions: readonly Permission[];
const gateways: RunningGateway[] = [];
/** How many readings each device has sent. */
const sent = new Map<string, number>();

beforeAll(async () => {
  folder = await temporaryFolder();
  broker = await startSecuredBroker(join(folder.path, 'broker'));
  tools = kafkaTools(broker.cluster.bootstrap);
  permissions = permissionsIn(await readFile(new URL('../../README.md', import.meta.url), 'utf8'));
  // What a reader of the README runs, and the same for who comes by mutual TLS.
  for (const { parameters } of permissions)
    await tools.changePermissions(['--add', ...parameters, '--allow-principal', 'User:CN=gw1']);
});

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.kill('SIGKILL');
});

afterAll(async () => {
  await broker?.cluster.close();
  await folder?.[Symbol.asyncDispose]();
});

/** The options of the command line for a listener. */
const settingsFor = (listener: string, more: readonly string[]): string[] => [
  `forwarder.brokers=[${broker.cluster.listeners[listener] ?? broker.cluster.bootstrap[0]}]`,
  'forwarder.lingerMs=20',
  'gateway.name=gw1',
  ...more,
];

const tls = (...more: string[]): string =>
  `forwarder.tls={ ${[`caFile: ${broker.caFile}`, ...more].join(', ')} }`;

const byPassword = async (mechanism: string, password = PASSWORD): Promise<string> => {
  const file = await broker.write(`password-${password}`, `${password}\n`);
  return `forwarder.sasl={ mechanism: ${mechanism}, username: gw1, passwordFile: ${file} }`;
};

const byToken = (file: string): string => `forwarder.sasl={ mechanism: OAUTHBEARER, tokenFile: ${file} }`;

const withOwn = async (certified: Certified): Promise<string> => {
  const { certFile, keyFile } = await broker.writeCertificate('own', certified);
  return tls(`certFile: ${certFile}`, `keyFile: ${keyFile}`);
};

async function start(name: string, listener: string, ...more: string[]): Promise<RunningGateway> {
  const dataDir = join(folder.path, name);
  const gateway = await startGateway({ dataDir, set: settingsFor(listener, more) });
  gateways.push(gateway);
  return gateway;
}

/** Readings from a device of this name, numbered on from the last one, each acknowledged. */
async function send({ mqtt }: RunningGateway, device: string, count = READINGS): Promise<void> {
  const from = sent.get(device) ?? 0;
  sent.set(device, from + count);
  const client = await connectAsync(`mqtt://${mqtt}`, { clientId: device });
  try {
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    await Promise.all(numbers.map((number) => client.publishAsync(device, `${number}`, { qos: 1 })));
  } finally {
    await client.endAsync();
  }
}

/** Resolves when the mirror's status says something like this, to what it says. */
async function told(gateway: RunningGateway, words: RegExp): Promise<string> {
  let last = '';
  return await until(`the status says ${words}`, WAIT_MS_MAX, async () => {
    const { message = '', warnings = [] } = (await statusOf(gateway)).forwarder ?? {};
    last = [message, ...warnings].join('; ');
    return words.test(last) ? last : undefined;
  }).catch((cause: unknown) => {
    throw new Error(`the status says instead: ${last}`, { cause });
  });
}

const doctor = async (listener: string, ...more: string[]): Promise<string> => {
  const sets = settingsFor(listener, more).flatMap((setting) => ['--set', setting]);
  const { output, errors } = await session(['doctor', 'kafka', ...sets]);
  return output + errors;
};

describe('with the permissions of the README, readings are sent', () => {
  async function sends(device: string, listener: string, ...more: string[]): Promise<RunningGateway> {
    const gateway = await start(device, listener, ...more);
    await send(gateway, device);
    await drained(gateway);
    expect((await statusOf(gateway)).forwarder?.lastError).toBeNull();
    expect(await doctor(listener, ...more)).toContain('all is well');
    return gateway;
  }

  test('by TLS', async () => void (await sends('tls', 'TLS', tls())));

  test('by TLS with another name for the broker', async () => {
    await sends('named', 'TLS', tls('serverName: localhost'));
  });

  test('by TLS with a CA that the system knows', async () => {
    const set = settingsFor('TLS', ['forwarder.tls={}']);
    const runner = ['env', `SSL_CERT_FILE=${broker.caFile}`];
    const gateway = await startGateway({ dataDir: join(folder.path, 'system'), set, runner });
    gateways.push(gateway);
    await send(gateway, 'system');
    await drained(gateway);
  });

  test('by mutual TLS', async () => {
    await sends('mutual', 'MTLS', await withOwn(broker.authority.issue({ name: 'gw1' })));
  });

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('by TLS and %s', async (mechanism) => {
    await sends(mechanism, 'SASL', tls(), await byPassword(mechanism));
  });

  test('by TLS and OAUTHBEARER', async () => {
    const file = await broker.write('token', token('gw1', Date.now() + HOUR_MS));
    await sends('token', 'SASL', tls(), byToken(file));
  });

  test('by PLAIN without TLS, with a warning', async () => {
    const gateway = await sends('plain', 'LOGIN', await byPassword('PLAIN'));
    const warning = 'warning: forwarder.sasl: without forwarder.tls, PLAIN sends the secret';
    expect(gateway.stdout()).toContain(warning);
  });
});

describe('a secret', () => {
  test('that counts for a time only is used again in time, without a word', async () => {
    const gateway = await start('short', 'SHORT', tls(), await byPassword('PLAIN'));
    const endMs = performance.now() + SHORT_SESSION_MS * 4;
    while (performance.now() < endMs) {
      await send(gateway, 'short', 50);
      await drained(gateway);
    }
    expect((await statusOf(gateway)).forwarder?.lastError).toBeNull();
  });

  test('that is refused is told but never shown, and a new one counts without a restart', async () => {
    const userFile = await broker.write('changing', 'pw-wrong');
    const password = `forwarder.sasl={ mechanism: SCRAM-SHA-256, username: gw1, passwordFile: ${userFile} }`;
    const expired = token('gw1', Date.now() - HOUR_MS);
    const tokenFile = await broker.write('rotating', expired);
    const user = await start('user', 'SASL', tls(), password);
    const bearer = await start('bearer', 'SASL', tls(), byToken(tokenFile));
    await send(user, 'user');
    await send(bearer, 'bearer');
    await told(
      user,
      /the broker refuses the login of gw1 by SCRAM-SHA-256 .* check forwarder\.sasl\.username/,
    );
    await told(
      bearer,
      /refuses the token of forwarder\.sasl\.tokenFile.* it has expired at .*write a new one there/,
    );

    const renewed = token('gw1', Date.now() + HOUR_MS);
    await broker.write('changing', PASSWORD);
    await broker.write('rotating', renewed);
    await drained(user);
    await drained(bearer);
    await expectNowhere(user, ['pw-wrong', PASSWORD]);
    await expectNowhere(bearer, [expired, renewed]);
  });

  /** In all that the gateway has written or answers, in any spelling of the secrets. */
  async function expectNowhere(gateway: RunningGateway, secrets: readonly string[]): Promise<void> {
    const paths = ['/metrics', '/api/status', '/api/topics'];
    const answers = await Promise.all(paths.map(async (path) => await (await gateway.api(path)).text()));
    const entries = await readdir(gateway.dataDir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const contents = await Promise.all(
      files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
    );
    const all = [gateway.stdout(), gateway.stderr(), ...answers, ...contents].join('\n');
    expect(all).toContain('refuses the');
    for (const secret of secrets)
      for (const spelling of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)])
        expect(all.includes(spelling), 'a secret is shown').toBe(false);
  }
});

describe('the status says that', () => {
  test.each<[string, string, () => Promise<string>, RegExp]>([
    [
      "the broker's certificate has expired",
      'STALE',
      async () => tls(),
      /certificate.*has expired by the clock of this device.*renew it on the broker/,
    ],
    [
      'our certificate has expired',
      'MTLS',
      () => withOwn(broker.authority.issue({ name: 'gw1', toMs: Date.now() - 60_000 })),
      /certificate of forwarder\.tls\.certFile.*by the clock of this device it expired on/,
    ],
  ])('%s', async (_, listener, setting, words) => {
    const gateway = await start(`expired-${listener}`, listener, await setting());
    await told(gateway, words);
  });
});

describe('doctor kafka explains', () => {
  test.each<[string, string, () => Promise<readonly string[]>, RegExp]>([
    ['a client without TLS at a port with it', 'TLS', given(), /the broker expects TLS; set forwarder\.tls/],
    [
      'a client with TLS at a port without it',
      'PLAINTEXT',
      given(() => tls()),
      /does not speak TLS; use the port/,
    ],
    [
      'an unknown CA',
      'TLS',
      given(() => 'forwarder.tls={}'),
      /signed by a CA that this device does not know/,
    ],
    ['that a certificate is wanted', 'MTLS', given(() => tls()), /wants a certificate of this gateway/],
    [
      'that our certificate has expired',
      'MTLS',
      given(() => withOwn(broker.authority.issue({ name: 'gw1', toMs: Date.now() - 60_000 }))),
      /certificate of forwarder\.tls\.certFile.*by the clock of this device it expired on/,
    ],
    ['that a login is wanted', 'SASL', given(() => tls()), /wants a login; set forwarder\.sasl/],
    [
      'that no login is wanted',
      'TLS',
      given(
        () => tls(),
        () => byPassword('PLAIN'),
      ),
      /wants no login on this port/,
    ],
    [
      'which mechanisms there are',
      'LOGIN',
      given(() => byPassword('SCRAM-SHA-512')),
      /does not offer SASL SCRAM-SHA-512 on this port; set forwarder\.sasl\.mechanism to PLAIN/,
    ],
    [
      'a wrong password',
      'SASL',
      given(
        () => tls(),
        () => byPassword('PLAIN', 'pw-wrong'),
      ),
      /refuses the login of gw1 by PLAIN/,
    ],
    [
      'all that is wrong with the files',
      'SASL',
      given(
        () => 'forwarder.tls={ caFile: /missing/ca }',
        () => 'forwarder.sasl={ mechanism: PLAIN, username: gw1, passwordFile: /missing/secret }',
      ),
      /tls\.caFile: \/missing\/ca cannot be read[\s\S]*sasl\.passwordFile: this file cannot be read/,
    ],
  ])('%s', async (_, listener, settings, words) => {
    const found = await doctor(listener, ...(await settings()));
    expect(found).toMatch(words);
    expect(found).toMatch(/^WRONG/);
    expect(found).not.toContain('pw-wrong');
  });

  /** Settings that can be told only when there is a broker. */
  function given(...settings: (() => string | Promise<string>)[]): () => Promise<readonly string[]> {
    return () => Promise.all(settings.map((setting) => setting()));
  }
});

describe('without any one of the permissions of the README', () => {
  const found = (name: string): Permission => {
    const permission = permissions.find((one) => one.name === name);
    if (permission === undefined) throw new Error(`the README does not grant ${name}`);
    return permission;
  };

  test('on transactional ids, at-least-once does without', async () => {
    const address = broker.cluster.bootstrap[0] ?? '';
    const access = [tls(), await byPassword('SCRAM-SHA-512'), 'forwarder.delivery=at-least-once'];
    await change(address, found('Write headwater-'), 'revoke');
    const gateway = await start('modest', 'SASL', ...access);
    await send(gateway, 'modest');
    await drained(gateway);
    expect((await statusOf(gateway)).forwarder?.lastError).toBeNull();
    const examined = await doctor('SASL', ...access);
    await change(address, found('Write headwater-'), 'grant');
    expect(examined).toContain('all is well');
    expect(examined).toMatch(/transactions +not needed: forwarder\.delivery is at-least-once/);
  });

  test('the status names it, and the mirror goes on when it is granted', async () => {
    const access = [tls(), await byPassword('SCRAM-SHA-512')];
    const gateway = await start('granted', 'SASL', ...access);
    const address = broker.cluster.bootstrap[0] ?? '';
    const ask = async (path: string, method: string, body: object): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      const response = await gateway.api(path, { method, headers, body: JSON.stringify(body) });
      expect(response.ok).toBe(true);
    };
    const reading = (): Promise<void> => send(gateway, 'granted', 10);
    let topics = 0;
    const newTopic = (): Promise<void> => {
      topics++;
      return ask('/api/topics', 'POST', { name: `new-${topics}`, partitions: 1 });
    };
    const grown = (): Promise<void> => ask('/api/topics/new-1', 'PATCH', { partitions: 2 });
    await reading();
    await drained(gateway);

    for (const [name, act, status, examined] of [
      [
        'Write gw1.',
        reading,
        /writing to gw1\.\S+: grant Write on it/,
        /topic gw1\.readings: grant Write on it/,
      ],
      ['Write headwater-', reading, /grant Write on transactional ids/, /grant Write on transactional ids/],
      [
        'Read gw1.headwater-checkpoint',
        newTopic,
        /reading topic gw1\.headwater-checkpoint: grant Read on it/,
        /read topic gw1\.headwater-checkpoint: grant Read on it/,
      ],
      [
        'Create gw1.',
        newTopic,
        /creating topic gw1\.new-\d.*: grant Create on topics/,
        /creating topic gw1\.gaps.*: grant Create on topics/,
      ],
      ['Alter gw1.', grown, /adding partitions to topic gw1\.new-1.*: grant Alter on it/, /all is well/],
    ] as const) {
      await change(address, found(name), 'revoke');
      await act();
      expect(await told(gateway, status)).toContain('The README lists what the cluster must grant');
      expect(await doctor('SASL', ...access)).toMatch(examined);
      await change(address, found(name), 'grant');
      await drained(gateway);
    }

    // What is left is enough where the topics are there.
    for (const name of ['Create gw1.', 'Alter gw1.', 'DescribeConfigs gw1.headwater-checkpoint'])
      await change(address, found(name), 'revoke');
    expect(await doctor('SASL', ...access)).toMatch(/its settings may not be seen; grant DescribeConfigs/);
    const sparing = await start('sparing', 'SASL', ...access);
    await send(sparing, 'sparing');
    await drained(sparing);
    expect((await statusOf(sparing)).forwarder?.lastError).toBeNull();
  });

  test('there are no others', () => {
    expect(permissions).toHaveLength(6);
  });
});

test('all that was sent in any of these ways has arrived, once and in order', async () => {
  const records = await tools.consume('gw1.readings', { readCommitted: true });
  const byDevice = Map.groupBy(records, ({ key }) => `${key}`);
  const arrived = [...byDevice].map(([device, of]) => {
    const wrong = of.findIndex(({ value }, index) => Number(value) !== index);
    return `${device}: ${wrong === -1 ? of.length : `not ${wrong} but ${of[wrong]?.value}`}`;
  });
  expect(arrived.sort()).toEqual([...sent].map(([device, count]) => `${device}: ${count}`).sort());
  expect(sent.size).toBe(15);
});
