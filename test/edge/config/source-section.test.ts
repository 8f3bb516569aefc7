import { expect, test } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';

const read = (sources: string) =>
  readConfig({
    file: { name: 'hw.yaml', text: `mqtt:\n  sources: [${sources}]\n` },
    sets: [],
    workingDirectory: '/site',
    hostName: 'h',
  });

function sourcesOf(sources: string) {
  const result = read(sources);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config.mqtt.sources;
}

const least = "name: plant, topics: ['sensors/#']";

test('a broker needs a name, a URL and topics; the rest has defaults', () => {
  expect(sourcesOf(`{ ${least}, url: 'mqtt://broker' }`)).toEqual([
    {
      name: 'plant',
      url: { host: 'broker', port: 1883, isTls: false, text: 'mqtt://broker:1883' },
      topics: ['sensors/#'],
      qos: 2,
      clientId: undefined,
      username: undefined,
      password: undefined,
      tls: {},
    },
  ]);
});

test('files are found from the working directory, and a secret is named by its setting', () => {
  const [source] = sourcesOf(
    `{ ${least}, url: 'mqtts://[::1]:9000/', qos: 1, username: gw, passwordFile: pw, tls: { caFile: ca.pem } }`,
  );
  expect(source).toMatchObject({
    url: { host: '::1', port: 9000, isTls: true, text: 'mqtts://[::1]:9000' },
    qos: 1,
    password: { setting: 'mqtt.sources.plant.passwordFile', kind: 'file', name: '/site/pw' },
    tls: { caFile: '/site/ca.pem' },
  });
  const [other] = sourcesOf(`{ ${least}, url: 'mqtts://b', username: gw, passwordEnv: PW }`);
  expect(other).toMatchObject({ url: { port: 8883 }, password: { kind: 'variable', name: 'PW' } });
});

test('a topic that is written twice counts once', () => {
  expect(sourcesOf("{ name: a, url: 'mqtt://b', topics: [t, u, t] }")[0]?.topics).toEqual(['t', 'u']);
});

test.each([
  [
    `{ ${least}, url: 'http://b' }`,
    'mqtt.sources.0.url: write mqtt://host:port, or mqtts://host:port for TLS',
  ],
  [`{ ${least}, url: 'mqtt://b:0' }`, 'mqtt.sources.0.url: write mqtt://host:port'],
  [`{ ${least} }`, 'mqtt.sources.0.url: is missing; write mqtt://host:port'],
  [`{ name: a, url: 'mqtt://b', topics: [] }`, 'mqtt.sources.0.topics: write one topic at least'],
  [`{ name: a, url: 'mqtt://b', topics: ['a/#/b'] }`, 'mqtt.sources.0.topics.0: write an MQTT topic'],
  [`{ name: a, url: 'mqtt://b', topics: ['$SYS/#'] }`, 'topics.0: choose another topic; what is below $SYS'],
  [`{ ${least}, url: 'mqtt://b', qos: 0 }`, 'mqtt.sources.0.qos: write a whole number from 1 to 2, not 0'],
  [`{ ${least}, url: 'mqtt://b', passwordEnv: A }`, 'username: write the user to whom the password belongs'],
  [
    `{ ${least}, url: 'mqtt://b', username: u, passwordEnv: A, passwordFile: b }`,
    'passwordEnv: write passwordFile or passwordEnv, not both',
  ],
  [`{ ${least}, url: 'mqtt://b', tls: {} }`, 'mqtt.sources.0.tls: write mqtts:// in url, or remove tls'],
  [
    `{ ${least}, url: 'mqtts://b', tls: { keyFile: a } }`,
    'mqtt.sources.0.tls.certFile: write the file with the certificate',
  ],
  [
    `{ ${least}, url: 'mqtt://b' }, { ${least}, url: 'mqtt://c' }`,
    'mqtt.sources.1.name: write another name than that of mqtt.sources.0',
  ],
  [
    `{ ${least}, url: 'mqtt://b', clientId: x }, { name: b, topics: [t], url: 'mqtt://b:1883', clientId: x }`,
    'mqtt.sources.1.clientId: write another clientId than that of mqtt.sources.0',
  ],
  [`{ ${least}, url: 'mqtt://b', topic: x }`, 'mqtt.sources.0.topic: unknown setting; did you mean'],
])('%s is refused', (sources, words) => {
  const result = read(sources);
  expect('problems' in result && result.problems.join('\n')).toContain(words);
});

test('a password in a URL is refused and not shown', () => {
  const result = read(`{ ${least}, url: 'mqtt://user:geheim@broker' }`);
  const text = 'problems' in result ? result.problems.join('\n') : '';
  expect(text).toContain('without user and password (they are username and passwordFile)');
  expect(text).not.toContain('geheim');
});
