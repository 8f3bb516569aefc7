import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { messageOf } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { loadConfig } from '../../src/edge/config/load-config.ts';
import { ConfigReloads } from '../../src/edge/config-reloads.ts';
import { FakeGateway, json, session } from '../edge/cli/fake-gateway.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const secret = 'hunter-2-4711';
const source = (more: string) => `mqtt: { sources: [{ name: a, topics: [t], ${more} }] }`;
const sasl = (more: string) => `forwarder: { sasl: { mechanism: PLAIN, username: gw1, ${more} } }`;

/** Wherever somebody could write one and it can be seen to be one, each in a configuration that is refused. */
const planted: readonly (readonly [where: string, yaml: string])[] = [
  ['the address of a broker', `forwarder: { brokers: ['user:${secret}@kafka:9092'] }`],
  ['a broker as a URL', `forwarder: { brokers: ['sasl://user:${secret}@kafka:9092'] }`],
  ['brokers that are no list', `forwarder: { brokers: 'user:${secret}@kafka:9092' }`],
  ['the URL of a source', source(`url: 'mqtt://user:${secret}@broker:1883'`)],
  ['a source that is a URL', `mqtt: { sources: ['mqtt://user:${secret}@broker:1883'] }`],
  ['sources that are a URL', `mqtt: { sources: 'mqtt://user:${secret}@broker:1883' }`],
  ['a name that is a URL', `mqtt: { sources: [{ 'mqtt://user:${secret}@broker:1883': null }] }`],
  ['a topic that is a URL', `topics: { 'mqtt://user:${secret}@broker:1883': {} }`],
  ['the name of a gateway', `gateway: { name: 'user:${secret}@gw1' }`],
  ['where to listen', `mqtt: { listen: 'user:${secret}@127.0.0.1:1883' }`],
  ['a device', `modbus: [{ name: a, address: 'user:${secret}@plc:502', units: [] }]`],
  ['an unknown setting', `forwarder: { password: ${secret} }`],
  ['an unknown setting far from any secret', `log: { apiToken: ${secret} }`],
  ['an unknown section', `credentials: { user: gw1, word: ${secret} }`],
  ['a password in a section', sasl(`password: ${secret}`)],
  ['a password that is a list', sasl(`password: [${secret}]`)],
  ['a file name that is a list', sasl(`passwordFile: [${secret}]`)],
  ['a variable that is none', sasl(`passwordEnv: ${secret}`)],
  ['a file that is not there', `${sasl(`passwordFile: ${secret}`)}\nlog: { level: loud }`],
  ['a text instead of a section', `forwarder: { sasl: ${secret} }`],
];

/** The same where no program can tell the secret from other text. */
const hidden: typeof planted = [
  ['with a slash in it', `forwarder: { brokers: ['user:a/${secret}@kafka:9092'] }`],
  ['with a space in it', `forwarder: { brokers: ['user:a ${secret}@kafka:9092'] }`],
  ['a text instead of the section around it', `forwarder:\n  sasl\n  password ${secret}`],
  ['a text instead of a configuration', `password ${secret}`],
  ['a block text of YAML', `forwarder:\n  sasl:\n    password: |${secret}\n`],
  ['behind what YAML ends', `forwarder: { password: b } }\n} ${secret}`],
  ['a directive of YAML', `%${secret}\n---\nlog: {}`],
  ['an alias of YAML', sasl(`password: *${secret}`)],
  ['a tag of YAML', sasl(`password: !${secret}`)],
  ['a broken text of YAML', `forwarder: { sasl: { password: "${secret} } }`],
];

/** Everything that a gateway says of a reload: to who asked for it, and in the service log. */
async function saidOfReload(workingDirectory: string): Promise<string> {
  const said: string[] = [];
  const say = (fields: object, message: string) => void said.push(JSON.stringify({ ...fields, message }));
  const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
  const request = { configFile: undefined, configVariable: undefined, sets: [], hostName: 'gw1' };
  const load = (folder: string) => loadConfig({ ...request, workingDirectory: folder });
  const { config } = await load(join(workingDirectory, 'none'));
  const reread = async () => (await load(workingDirectory)).config;
  const reloads = new ConfigReloads({ config, reread, apply: async () => {}, logger, metrics: noMetrics });
  const answer = await reloads.reload().then(() => 'taken up', messageOf);
  expect(answer).toContain('the configuration before still counts');
  return [answer, ...said].join('\n');
}

/** What the command prints and writes while a gateway quotes something. */
async function bundled(workingDirectory: string, quoted: string): Promise<string> {
  const gateway = await FakeGateway.start();
  gateway.answer = (_, response) => json(response, 200, { reasons: [quoted] });
  const words = ['support-bundle', 'help.json', '--set', `data.dir=${gateway.folder}`];
  const { code, output, errors } = await session(words, { workingDirectory });
  await gateway.remove();
  expect(code).toBe(0);
  return [output, errors, await readFile(join(workingDirectory, 'help.json'), 'utf8')].join('\n');
}

describe('a secret that was written in the wrong place', () => {
  test.each([...planted, ...hidden])('is shown nowhere: %s', async (_, yaml) => {
    await using folder = await temporaryFolder();
    const workingDirectory = folder.path;
    await writeFile(join(workingDirectory, 'headwater.yaml'), `${yaml}\n`);
    for (const words of [['config', 'check'], ['config', 'show'], ['run']]) {
      const { code, output, errors } = await session(words, { workingDirectory });
      expect(code).toBe(2);
      expect(output + errors).not.toContain(secret);
    }
    expect(await saidOfReload(workingDirectory)).not.toContain(secret);
    expect(await bundled(workingDirectory, 'nothing')).not.toContain(secret);
  });

  test.each(planted)('is taken out of the support bundle, whoever quotes it: %s', async (_, yaml) => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'headwater.yaml'), `${yaml}\n`);
    const text = await bundled(folder.path, `so ${secret} is wrong`);
    expect(text).not.toContain(secret);
    expect(text).toContain('so (removed) is wrong');
  });

  test.each([
    `forwarder.brokers=['user:${secret}@kafka:9092']`,
    `forwarder.sasl.password:${secret}`,
    `user:${secret}@kafka:9092`,
    `forwarder.sasl.password=${secret}`,
  ])('is shown nowhere: --set %s', async (set) => {
    await using folder = await temporaryFolder();
    for (const words of [
      ['config', 'check'],
      ['config', 'show'],
      ['support-bundle', 'help.json'],
    ]) {
      const { output, errors } = await session([...words, '--set', set], { workingDirectory: folder.path });
      expect(output + errors).not.toContain(secret);
    }
    expect(await readFile(join(folder.path, 'help.json'), 'utf8')).not.toContain(secret);
  });
});
