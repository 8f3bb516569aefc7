import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, test } from 'vitest';
import type { TopicDescription } from '../../src/edge/topic-changes.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway, within } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REACTION_MS_MAX = 20_000;
const POLL_MS = 20;

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + REACTION_MS_MAX;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${REACTION_MS_MAX} ms: ${what}`);
    await within(POLL_MS, new Promise(() => {}));
  }
}

async function publish({ mqtt }: RunningGateway, topic: string, payload: string): Promise<void> {
  const client = await connectAsync(`mqtt://${mqtt}`);
  await client.publishAsync(topic, payload, { qos: 1 });
  await client.endAsync();
}

async function recordsOf(gateway: RunningGateway, topic: string): Promise<string> {
  const { output } = await headwaterProcess(gateway.dataDir, ['consume', topic, '--from-beginning']);
  return output;
}

async function described(gateway: RunningGateway, name: string): Promise<TopicDescription | null> {
  const answer = await gateway.api(`/api/topics/${name}`);
  return answer.ok ? ((await answer.json()) as TopicDescription) : null;
}

async function metric(gateway: RunningGateway, outcome: string): Promise<boolean> {
  const text = await (await gateway.api('/metrics')).text();
  return text.includes(`headwater_config_reloads_total{outcome="${outcome}"} 1`);
}

const levels = (gateway: RunningGateway, message: string): readonly string[] =>
  gateway
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(message))
    .map((line) => (JSON.parse(line) as { level: string }).level);

const before = "mqtt:\n  routes: [{ match: 'air/#', topic: air }]\n";
const after = `\
mqtt:
  routes: [{ match: 'air/#', topic: wind, decoder: { type: csv, columns: [speed] } }]
  limits: { connections: 5 }
topics:
  wind: { partitions: 2, priority: 7 }
anomaly:
  series: [{ match: 'wind:air/roof:speed', max: 30 }]
log: { level: debug }
`;

describe('a configuration that is read again', () => {
  test('by SIGHUP: what can counts at once, and what needs a restart is named', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'headwater.yaml');
    await writeFile(file, before);
    await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
    await publish(gateway, 'air/roof', '5');
    expect(await recordsOf(gateway, 'air')).toBe('5\n');
    expect(levels(gateway, 'client connected')).toEqual([]);

    await writeFile(file, after);
    process.kill(gateway.pid, 'SIGHUP');
    await until('it says that it was read again', () => levels(gateway, 'was read again').length > 0);
    expect(gateway.stderr()).toContain(
      'counts now: anomaly.series, log.level, mqtt.routes, topics.wind; needs a restart: mqtt.limits',
    );
    expect(await metric(gateway, 'applied')).toBe(true);

    await publish(gateway, 'air/roof', '50');
    expect(await recordsOf(gateway, 'wind')).toBe('50\n');
    expect(await recordsOf(gateway, 'air')).toBe('5\n');
    expect(await described(gateway, 'wind')).toMatchObject({
      isConfigured: true,
      settings: { priority: { value: 7, source: 'configuration' } },
      partitions: [{ partition: 0 }, { partition: 1 }],
    });
    expect(levels(gateway, 'client connected')).not.toEqual([]);
    // By the decoder of the new route and the bound of the new rule.
    await until('an alert is raised', async () => {
      const list = await headwaterProcess(gateway.dataDir, ['alerts', 'list']);
      return list.output.includes('wind:air/roof:speed');
    });
  });

  test('by "headwater reload": one with mistakes changes nothing, and --set stays in force', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'headwater.yaml');
    await using gateway = await startGateway({
      dataDir: join(folder.path, 'data'),
      set: ['topics.fixed.priority=3'],
    });
    // With the file that the gateway has, as on a machine where HEADWATER_CONFIG names it.
    await writeFile(file, '');
    const reload = () => headwaterProcess(gateway.dataDir, ['reload', '--config', file]);
    expect(await reload()).toEqual({
      code: 0,
      output: 'nothing has changed that counts at once\n',
      errors: '',
    });

    await writeFile(file, `${after}mqqt: {}\ndata: { budget: much }\n`);
    const refused = await reload();
    expect(refused).toMatchObject({ code: 2, output: '' });
    expect(refused.errors).toMatch(
      /^the configuration before still counts; .*\n\.\/headwater\.yaml:9:1: mqqt: .*\n\.\/headwater\.yaml:10:9: data\.budget: .*\n$/,
    );
    expect(levels(gateway, 'the configuration before still counts')).toEqual(['error']);
    expect(await described(gateway, 'wind')).toBeNull();
    expect(await metric(gateway, 'refused')).toBe(true);

    await writeFile(file, `${after}forwarder: { brokers: [127.0.0.1:1] }\n`);
    const applied = await reload();
    expect(applied).toMatchObject({ code: 0, errors: '' });
    expect(applied.output.split('\n').map((line) => line.split(': '))).toEqual([
      ['counts now', 'anomaly.series, log.level, mqtt.routes, topics.wind'],
      ['needs a restart', 'forwarder.brokers, mqtt.limits'],
      [''],
    ]);
    expect(await described(gateway, 'fixed')).toMatchObject({ settings: { priority: { value: 3 } } });
    await gateway.kill('SIGTERM');
  });
});
