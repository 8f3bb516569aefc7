import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { KEPT } from '../../../src/edge/appliance/appliance-section.ts';
import { type BootFile, type BootFileContext, readBootFile } from '../../../src/edge/appliance/boot-file.ts';
import { generationOf } from '../../../src/edge/appliance/generation.ts';
import { type ImportedSettings, nothingImported } from '../../../src/edge/appliance/imported-settings.ts';
import { withExamples } from '../../../src/edge/config/example-comments.ts';
import { type ConfigResult, readConfig } from '../../../src/edge/config/read-config.ts';
import { readYaml, yamlText } from '../../../src/edge/config/yaml-tree.ts';
import { certificateAuthority } from '../../support/certificates.ts';

const deployed = (name: string): string =>
  readFileSync(new URL(`../../../deploy/raspberry-pi/${name}`, import.meta.url), 'utf8');
const defaults = readYaml(deployed('headwater.yaml')).value;

const context = (beside: Readonly<Record<string, string>> = {}): BootFileContext => ({
  before: nothingImported,
  defaults,
  hostName: 'headwater-0001',
  users: [],
  beside: (name) =>
    Promise.resolve(beside[name] === undefined ? { problem: 'it is not there' } : { text: beside[name] }),
});

const problems = (file: BootFile): readonly string[] => ('problems' in file ? file.problems : []);
const told = async (text: string, beside = {}): Promise<readonly string[]> =>
  problems(await readBootFile(text, context(beside)));

const authority = certificateAuthority('plant');
const one = authority.issue({ name: 'one' });
const other = authority.issue({ name: 'other' });

/** What the gateway makes of a generation. */
function started(imported: ImportedSettings): ConfigResult {
  const input = { imported, defaults, hostName: 'h', hasUsers: true, currentFolder: '/current' };
  const file = { name: 'headwater.yaml', text: generationOf(input).config };
  return readConfig({ file, sets: [], workingDirectory: '/', hostName: 'h' });
}

describe('headwater.example.yaml of the image', () => {
  test('changes nothing as it is', async () => {
    const read = await readBootFile(deployed('headwater.example.yaml'), context());
    expect(read).toMatchObject({ users: [] });
    if (!('imported' in read)) return;
    const input = { defaults, hostName: 'h', hasUsers: true, currentFolder: '/c' };
    const { settings } = generationOf({ ...input, imported: read.imported });
    expect(settings).toMatchObject({ mqtt: { listen: '0.0.0.0:1883', tls: { listen: '0.0.0.0:8883' } } });
    expect(read.copy).toBe(deployed('headwater.example.yaml'));
  });

  test('has examples that are legal, all of them at once, and shows each setting of the appliance', async () => {
    const text = withExamples(deployed('headwater.example.yaml')).replaceAll(
      /^ {2}# {3}- (?=ssh)/gm,
      '    - ',
    );
    const beside = { 'kafka-ca.pem': authority.certificate, 'gw1.pem': one.certificate, 'gw1.key': one.key };
    const read = await readBootFile(text, context(beside));
    expect(problems(read)).toEqual([]);
    expect(read).toMatchObject({
      users: [{ name: 'kitchen', password: 'write-it-here', publish: ['sensors/%u/#'], subscribe: [] }],
      imported: {
        tree: {
          appliance: {
            hostName: 'pumphouse',
            wifi: { country: 'DE', networks: [{ ssid: 'Plant', password: KEPT, hidden: false }] },
            timeServers: ['time.example.com'],
            timezone: 'Europe/Berlin',
          },
          gateway: { name: 'gw1', site: 'lab' },
          forwarder: { tls: { ca: KEPT, cert: KEPT, key: KEPT }, sasl: { password: KEPT } },
        },
        consumed: [{ fileName: 'gw1.key' }],
      },
    });
    expect(JSON.stringify(read)).toContain('me@laptop');
    expect('copy' in read && read.copy).not.toContain('write-it-here');
  });
});

test('what the README shows is legal', async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, text = ''] = /^```yaml\n(appliance:[\s\S]*?)^```/m.exec(readme) ?? [];
  const [key = ''] = /AAAA\S+/.exec(deployed('headwater.example.yaml')) ?? [];
  const beside = { 'kafka-ca.pem': authority.certificate, 'gw1.pem': one.certificate, 'gw1.key': one.key };
  const read = await readBootFile(text.replace('AAAA…', key), context(beside));
  expect(problems(read)).toEqual([]);
  expect(read).toMatchObject({ users: [{ name: 'kitchen' }] });
});

describe('a private key leaves the partition, wherever it stands', () => {
  const both = `${one.certificate}${one.key}`;
  const indented = (text: string): string => text.trim().replaceAll(/^/gm, '      ');
  const copyOf = async (text: string, beside = {}) => {
    const read = await readBootFile(text, context(beside));
    expect(problems(read)).toEqual([]);
    if (!('imported' in read)) throw new Error('it is refused');
    expect(read.copy).not.toContain('PRIVATE KEY');
    const before = read.imported;
    expect(problems(await readBootFile(read.copy, { ...context(), before }))).toEqual([]);
    return read;
  };

  test('in the text of a certificate', async () => {
    await copyOf(`forwarder:\n  tls:\n    cert: |\n${indented(both)}\n    key: |\n${indented(one.key)}\n`);
  });

  test('in the file of a certificate', async () => {
    const tls = 'forwarder: { tls: { certFile: both.pem, keyFile: gw1.key } }\n';
    const { imported, copy } = await copyOf(tls, { 'both.pem': both, 'gw1.key': one.key });
    expect(imported.consumed.map(({ fileName }) => fileName)).toEqual(['both.pem', 'gw1.key']);
    expect(copy).not.toContain('both.pem');
  });

  test('in one file for both, which FAT knows by either name', async () => {
    const tls = 'forwarder: { tls: { certFile: GW1.PEM, keyFile: gw1.pem } }\n';
    const { imported, copy } = await copyOf(tls, { 'GW1.PEM': both, 'gw1.pem': both });
    expect(imported.consumed).toHaveLength(1);
    expect(copy.toLowerCase()).not.toContain('gw1.pem');
  });
});

describe('mistakes are told with their lines and what to write, all at once', () => {
  test('in the section of the machine', async () => {
    const text = `\
appliance:
  hostname: pump
  hostName: pump house
  wifi:
    country: de
    networks:
      - ssid: Plant
        password: short
        psk: x
  sshKeys:
    - command="reboot" ssh-ed25519 AAAA
    - ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGEgaGVhZHdhdGVyIGV4YW1wbGUsIG5vdCBhIGtleSEh me
  timezone: Berlin
  timeServers: ['a b']
  mqttUsers:
    - name: kitchen/1
      password: 12345678
    - { name: cellar, password: x, publish: ['a/#/b'] }
`;
    expect(await told(text)).toEqual([
      'headwater.yaml:2:3: appliance.hostname: unknown setting; did you mean hostName?',
      'headwater.yaml:3:3: appliance.hostName: write 1 to 63 letters, digits or "-", without "-" at the ends',
      'headwater.yaml:5:5: appliance.wifi.country: write two capital letters of a country, such as DE',
      'headwater.yaml:8:9: appliance.wifi.networks.0.password: write the password of the network: 8 to 63 letters, digits and signs of ASCII, or its key as 64 hexadecimal digits',
      'headwater.yaml:9:9: appliance.wifi.networks.0.psk: unknown setting; there are: ssid, password, hidden',
      'headwater.yaml:11:7: appliance.sshKeys.0: write a public key as in a .pub file, without options before it',
      'headwater.yaml:12:7: appliance.sshKeys.1: write a public key as in a .pub file, without options before it',
      'headwater.yaml:13:3: appliance.timezone: write a time zone, such as Europe/Berlin',
      'headwater.yaml:14:17: appliance.timeServers.0: write the name or address of a time server',
      'headwater.yaml:16:7: appliance.mqttUsers.0.name: write the name of a user, without ":", "/", "+" or "#"',
      'headwater.yaml:17:7: appliance.mqttUsers.0.password: write a password of at most 1024 bytes, in quotes because YAML takes it for something else',
      'headwater.yaml:18:46: appliance.mqttUsers.1.publish.0: write an MQTT topic with + and # as in MQTT, %u for the user and %c for the client id, in quotes',
    ]);
  });

  test('in the configuration, by the names that are used here', async () => {
    const text = `\
data: { dir: /tmp/x }
mqtt:
  listen: 0.0.0.0:1883
forwarder:
  tls:
    ca: hello
    caFile: x.pem
    certFile: ../one.pem
    keyFile: gone.key
  sasl: { mechanism: PLAIN, username: u, passwordEnv: KAFKA }
`;
    expect(await told(text)).toEqual([
      'headwater.yaml:1:9: data.dir: remove it; an appliance has one place for its data',
      'headwater.yaml:3:3: mqtt.listen: beyond loopback devices log in, and there are no users: write some as appliance: { mqttUsers: [{ name: …, password: … }] }, or mqtt: { anonymous: true } to let everybody in',
      'headwater.yaml:6:5: forwarder.tls.ca: write ca or caFile, not both',
      'headwater.yaml:8:5: forwarder.tls.certFile: write the name of a file that lies beside headwater.yaml, or its text as cert',
      'headwater.yaml:9:5: forwarder.tls.keyFile: it is not there',
      'headwater.yaml:10:42: forwarder.sasl.passwordEnv: write it as password: nobody sets variables here',
    ]);
    expect(
      await told('forwarder: { tls: { certFile: a.pem }, sasl: { mechanism: PLAIN, username: u } }\n', {
        'a.pem': one.certificate,
      }),
    ).toEqual([
      'headwater.yaml:1:14: forwarder.tls.key: is missing; write it here as key, or as keyFile the name of a file that lies beside headwater.yaml',
      'headwater.yaml:1:40: forwarder.sasl.password: is missing; write it here as password, or as passwordFile the name of a file that lies beside headwater.yaml',
    ]);
  });

  test.each([
    ['no PEM', 'hello', one.key, 'forwarder.tls.cert: this is no certificate in PEM'],
    [
      'damaged',
      one.certificate.replace(/\n.{10}/, '\nAAAAAAAAAA'),
      one.key,
      'forwarder.tls.cert: this certificate is damaged',
    ],
    [
      'another key',
      one.certificate,
      other.key,
      'forwarder.tls.key: this is not the key of the certificate cert',
    ],
    ['no key', one.certificate, 'hello', 'forwarder.tls.key: this is no private key in PEM'],
    [
      'locked',
      one.certificate,
      '-----BEGIN ENCRYPTED PRIVATE KEY-----',
      'forwarder.tls.key: this key is locked by a passphrase',
    ],
  ])('in certificates: %s', async (_what, cert, key, message) => {
    const beside = { 'a.pem': cert, 'a.key': key };
    const found = await told('forwarder: { tls: { certFile: a.pem, keyFile: a.key } }\n', beside);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('where a value hangs on to its name, without saying it', async () => {
    const text = `\
forwarder: { sasl: { mechanism: PLAIN, username: u, password:sekrit } }
appliance:
  mqttUsers:
    - name: kitchen
      password:sekrit: x
  wifi:
    password:sekrit
`;
    const found = await told(text);
    expect(found).toEqual([
      'headwater.yaml:1:53: forwarder.sasl.password:…: write a space behind the ":"',
      'headwater.yaml:1:14: forwarder.sasl.password: is missing; write it here as password, or as passwordFile the name of a file that lies beside headwater.yaml',
      'headwater.yaml:5:7: appliance.mqttUsers.0.password:…: write a space behind the ":"',
      'headwater.yaml:6:3: appliance.wifi: write a mapping of settings here: country, networks',
    ]);
    expect(await told('forwarder: { sasl: sekrit }\n')).toEqual([
      'headwater.yaml:1:14: forwarder.sasl: write a mapping of settings here: mechanism, username, password, token',
    ]);
  });

  test('where something is said to be kept that never was there', async () => {
    const text = `\
appliance:
  wifi: { country: DE, networks: [{ ssid: constructor, password: ${KEPT} }, { ssid: constructor }] }
  mqttUsers: [{ name: kitchen, password: ${KEPT} }, { name: kitchen }]
forwarder: { sasl: { mechanism: PLAIN, username: u, password: ${KEPT} } }
`;
    const found = await told(text);
    expect(found.map((line) => line.replace(/^headwater.yaml:(\d+):\d+: /, '$1 '))).toEqual([
      '2 appliance.wifi.networks.0.password: this device keeps none of this network; write it',
      '2 appliance.wifi.networks.1.ssid: this network is named twice; keep one of the two',
      '3 appliance.mqttUsers.0.password: this device keeps none of this user; write it',
      '3 appliance.mqttUsers.1.name: this user is named twice; keep one of the two',
      '4 forwarder.sasl.password: this device keeps none; write it',
    ]);
  });
});

describe('the word default', () => {
  test.each(['password', 'passwordFile'])('takes back a secret as %s, which is no password', async (name) => {
    const first = await readBootFile(
      'forwarder: { brokers: [b:1], sasl: { mechanism: PLAIN, username: u, password: sekrit-1 } }\n',
      context(),
    );
    if (!('imported' in first)) throw new Error('it is good');
    const over = { ...context(), before: first.imported };
    expect(problems(await readBootFile(`forwarder: { sasl: { ${name}: default } }\n`, over))).toEqual([
      expect.stringMatching(/forwarder\.sasl.*password: is missing; write it here as password/),
    ]);
  });

  test('takes back a certificate, and its text with it', async () => {
    const ca = JSON.stringify(authority.certificate);
    const first = await readBootFile(`forwarder: { brokers: [b:1], tls: { ca: ${ca} } }\n`, context());
    if (!('imported' in first)) throw new Error('it is good');
    expect(Object.keys(first.imported.files)).toEqual(['forwarder.tls.ca']);
    const over = { ...context(), before: first.imported };
    const second = await readBootFile('forwarder: { tls: { ca: default } }\n', over);
    expect(problems(second)).toEqual([]);
    expect(second).toMatchObject({ imported: { files: {} } });
  });
});

describe('users', () => {
  test('that there is no room for are refused before anything is changed', async () => {
    const users = Array.from({ length: limits.usersMax - 1 }, (_, index) => `u${index}`);
    const read = async (text: string) => problems(await readBootFile(text, { ...context(), users }));
    const more = 'appliance: { mqttUsers: [{ name: u5, password: x1 }, { name: a, password: x2 }';
    expect(await read(`${more}] }\n`)).toEqual([]);
    expect(await read(`${more}, { name: b, password: x3 }] }\n`)).toEqual([
      expect.stringMatching(/mqttUsers: there is room for 1024 users, and with these there are 1025/),
    ]);
  });
});

describe('no secret', () => {
  const secret = fc
    .string({ minLength: 8, maxLength: 30, unit: 'grapheme-ascii' })
    // What stands at the ends of a plain value, or is a word of the file, says nothing.
    .map((text) => `q7${text.trim()}7q`);
  const passphrase = secret.filter((text) => text.length <= 63);
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const style = fc.constantFrom(quoted, (text: string) => JSON.stringify(text));

  /** A file with secrets in all places, in several ways to write them; the texts that may not be found again. */
  const file = fc
    .record({
      wifi: passphrase,
      user: secret,
      kafka: secret,
      source: secret,
      style,
      flow: fc.boolean(),
      ending: fc.constantFrom('\n', '\r\n'),
    })
    .map(({ wifi, user, kafka, source, style: written, flow, ending }) => {
      const sasl = flow
        ? `  sasl: { mechanism: PLAIN, username: u, password: ${written(kafka)} } # ${kafka}\n`
        : `  sasl:\n    mechanism: PLAIN\n    username: u\n    password: |\n      ${kafka}\n    # was ${user}\n`;
      const text = `\
# ${wifi}
appliance:
  wifi: { country: DE, networks: [{ ssid: A, password: ${written(wifi)} }, { ssid: B }] }
  mqttUsers:
    - name: kitchen # ${source}
      password: ${written(user)}
mqtt:
  sources:
    - { name: plant, url: 'mqtt://a:1', topics: ['#'], username: u, password: ${written(source)} }
forwarder:
${sasl}`;
      return { text: text.replaceAll('\n', ending), secrets: [wifi, user, kafka, source] };
    });

  test('is left in the copy, which reads as the same', async () => {
    await fc.assert(
      fc.asyncProperty(file, async ({ text, secrets }) => {
        const read = await readBootFile(text, context());
        expect(problems(read)).toEqual([]);
        if (!('copy' in read)) return;
        for (const one of secrets) {
          expect(read.copy).not.toContain(one);
          expect(read.copy).not.toContain(JSON.stringify(one).slice(1, -1));
        }
        const again = await readBootFile(read.copy, {
          ...context(),
          before: read.imported,
          users: ['kitchen'],
        });
        expect(again).toMatchObject({ copy: read.copy, imported: { ...read.imported } });
      }),
      { numRuns: 60 },
    );
  });

  test('is in what is told of a file that is damaged anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        file,
        // Anywhere, and where a value begins.
        fc.oneof(
          fc
            .double({ min: 0, max: 0.999, noNaN: true })
            .map((part) => (text: string) => Math.floor(part * text.length)),
          fc
            .nat(20)
            .map((nth) => (text: string) => [...text.matchAll(/: /g)][nth]?.index ?? 0)
            .map((colon) => (text: string) => colon(text) + 1),
        ),
        fc.constantFrom('', ' ', ':', '{', '"', "'", '\t', '- ', '&', '*', '!', '|', 'x'),
        fc.nat(6),
        async ({ text, secrets }, at, by, cut) => {
          const position = at(text);
          const damaged = `${text.slice(0, position)}${by}${text.slice(position + cut)}`;
          const read = await readBootFile(damaged, context());
          const lines = problems(read).join('\n');
          for (const one of secrets) expect(lines).not.toContain(one.slice(2, -2));
          if (!('imported' in read)) return;
          // What is taken is what the gateway starts with, and is taken again as the same.
          expect(started(read.imported)).not.toHaveProperty('problems');
          const users = read.users.map(({ name }) => name);
          const again = await readBootFile(read.copy, { ...context(), before: read.imported, users });
          expect(again).toMatchObject({ copy: read.copy, imported: read.imported });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is lost on the way to the gateway', async () => {
    await fc.assert(
      fc.asyncProperty(file, async ({ text, secrets: [, user, kafka, source] }) => {
        const read = await readBootFile(text, context());
        if (!('imported' in read)) throw new Error(problems(read).join('\n'));
        expect(read.users).toMatchObject([{ name: 'kitchen', password: user }]);
        expect(read.imported.files['forwarder.sasl.password']?.trimEnd()).toBe(kafka);
        expect(read.imported.files['mqtt.sources.plant.password']).toBe(source);
        expect(yamlText(read.imported.tree)).not.toContain(kafka);
      }),
      { numRuns: 30 },
    );
  });
});

test('the key of a network is made as IEEE 802.11i says (its test vector)', async () => {
  const wifi = 'appliance: { wifi: { country: DE, networks: [{ ssid: IEEE, password: password }] } }\n';
  const read = await readBootFile(wifi, context());
  expect(read).toMatchObject({
    imported: { wifiKeys: { IEEE: 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e' } },
  });
});
