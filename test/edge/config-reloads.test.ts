import { beforeEach, expect, test } from 'vitest';
import { OperatingError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { readConfig } from '../../src/edge/config/read-config.ts';
import type { Config } from '../../src/edge/config/schema.ts';
import { ConfigReloads } from '../../src/edge/config-reloads.ts';

function configOf(text: string): Config {
  const file = { name: 'hw.yaml', text };
  const result = readConfig({ file, sets: [], workingDirectory: '/', hostName: 'h' });
  if ('problems' in result) throw new OperatingError('bad-configuration', result.problems.join('\n'));
  return result.config;
}

let written: string;
let applied: Config[];
let outcomes: unknown[];
let errors: string[];
let failure: Error | null;
let reloads: ConfigReloads;

beforeEach(() => {
  written = '';
  applied = [];
  outcomes = [];
  errors = [];
  failure = null;
  reloads = new ConfigReloads({
    config: configOf(''),
    reread: async () => configOf(await Promise.resolve(written)),
    apply: async (config) => {
      await Promise.resolve();
      if (failure !== null) throw failure;
      applied.push(config);
    },
    logger: { ...silentLogger, error: (_fields, message) => void errors.push(message) },
    metrics: {
      ...noMetrics,
      add: (name, by, labels) => void (by > 0 && outcomes.push([name, labels?.['outcome']])),
    },
  });
});

const told = (outcome: string) => ['headwater_config_reloads_total', outcome];

test('what can be is applied, and what cannot is named at each reload until a restart', async () => {
  written = 'log: { level: debug }\nmqtt: { listen: 127.0.0.1:1884 }\n';
  expect(await reloads.reload()).toEqual({ applied: ['log.level'], needsRestart: ['mqtt.listen'] });
  expect(applied).toEqual([{ ...configOf(''), log: { level: 'debug' } }]);
  expect(await reloads.reload()).toEqual({ applied: [], needsRestart: ['mqtt.listen'] });
  expect(applied).toHaveLength(1);
  expect(outcomes).toEqual([told('applied'), told('unchanged')]);
});

test('a configuration with a mistake changes nothing, and all of its mistakes are told', async () => {
  written = 'log: { level: debug, levle: 1 }\nmqqt: {}\n';
  const refused = reloads.reload();
  await expect(refused).rejects.toMatchObject({ code: 'bad-configuration' });
  await expect(refused).rejects.toThrow(
    /^the configuration before still counts; .*\nhw\.yaml:1:22: log\.levle: .*\nhw\.yaml:2:1: mqqt: /,
  );
  expect({ applied, outcomes }).toEqual({ applied: [], outcomes: [told('refused')] });
  expect(errors[0]).toContain('hw.yaml:2:1: mqqt: ');
  written = 'log: { level: debug }\n';
  expect(await reloads.reload()).toMatchObject({ applied: ['log.level'] });
});

test('what could not be applied is tried again at the next reload', async () => {
  written = 'topics: { a: {} }\n';
  failure = new OperatingError('log-unavailable', 'the disk is full');
  await expect(reloads.reload()).rejects.toMatchObject({ code: 'log-unavailable' });
  failure = null;
  expect(await reloads.reload()).toMatchObject({ applied: ['topics.a'] });
});

test('reloads that come together are done one after the other', async () => {
  written = 'log: { level: debug }\n';
  const [first, second] = await Promise.all([reloads.reload(), reloads.reload()]);
  expect([first?.applied, second?.applied]).toEqual([['log.level'], []]);
});

test('an error of ours is none of the configuration', async () => {
  written = 'log: { level: debug }\n';
  failure = new TypeError('a bug');
  await expect(reloads.reload()).rejects.toThrow('a bug');
  expect(outcomes).toEqual([]);
});
