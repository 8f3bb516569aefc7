import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, test } from 'vitest';
import type { TopicDescription } from '../../src/edge/topic-changes.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function describedBy(gateway: RunningGateway, name: string): Promise<TopicDescription> {
  return (await (await gateway.api(`/api/topics/${name}`)).json()) as TopicDescription;
}

describe('topics of a running gateway', () => {
  test('settings of the command line are kept, and those of the configuration win where it names the topic', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const set = ['topics={fixed: {partitions: 2, retention: {age: 30d}, priority: 7}}'];
    {
      await using gateway = await startGateway({ dataDir, set });
      const create = ['topics', 'create', 'air', '--retention-bytes', '1GiB', '--compression', 'gzip'];
      expect(await headwaterProcess(gateway.dataDir, create)).toMatchObject({ code: 0, errors: '' });
      const change = ['topics', 'set', 'air', '--partitions', '2', '--priority', '3'];
      const changed = await headwaterProcess(gateway.dataDir, change);
      expect(changed).toMatchObject({ code: 0, errors: '' });
      expect(changed.output).toMatch(/^ {2}retention +1GiB +kept in the log$/m);
      const refused = await headwaterProcess(gateway.dataDir, ['topics', 'set', 'fixed', '--priority', '1']);
      expect(refused).toMatchObject({
        code: 1,
        errors: expect.stringContaining('edit topics.fixed in the configuration file'),
      });
      await gateway.kill('SIGKILL');
    }
    {
      await using gateway = await startGateway({ dataDir, set });
      expect(await describedBy(gateway, 'air')).toMatchObject({
        settings: {
          retention: { value: { bytes: 1024 ** 3 }, source: 'kept' },
          compression: { value: 'gzip' },
          priority: { value: 3 },
        },
        partitions: [{ partition: 0 }, { partition: 1 }],
      });
      expect(await describedBy(gateway, 'fixed')).toMatchObject({
        isConfigured: true,
        settings: { priority: { value: 7, source: 'configuration' } },
      });
      await gateway.kill('SIGTERM');
    }
    // Now the configuration names the one and not the other.
    await using gateway = await startGateway({
      dataDir,
      set: ['topics={air: {partitions: 2, priority: 8}}'],
    });
    expect(await describedBy(gateway, 'air')).toMatchObject({
      settings: {
        retention: { value: null, source: 'default' },
        priority: { value: 8, source: 'configuration' },
      },
    });
    expect(await describedBy(gateway, 'fixed')).toMatchObject({
      isConfigured: false,
      settings: {
        retention: { value: { ageMs: 30 * 86_400_000 }, source: 'kept' },
        priority: { value: 7, source: 'kept' },
      },
    });
  });

  test('one that is deleted is gone, also after a restart, and goes on with its offsets if it is created again', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    {
      await using gateway = await startGateway({ dataDir });
      await headwaterProcess(gateway.dataDir, ['topics', 'create', 'air', '--priority', '3']);
      await headwaterProcess(gateway.dataDir, ['produce', 'air'], 'a\nb\n');
      const unasked = await headwaterProcess(gateway.dataDir, ['topics', 'delete', 'air'], 'yes\n');
      expect(unasked).toMatchObject({ code: 2, errors: expect.stringContaining('--yes') });
      const deleted = await headwaterProcess(gateway.dataDir, ['topics', 'delete', 'air', '--yes']);
      expect(deleted).toEqual({ code: 0, output: 'deleted topic air with its 2 records\n', errors: '' });
      expect(await gateway.kill('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    }
    await using gateway = await startGateway({ dataDir });
    const consume = ['consume', 'air', '--from-beginning'];
    expect(await headwaterProcess(gateway.dataDir, consume)).toMatchObject({ code: 1, output: '' });
    await headwaterProcess(gateway.dataDir, ['topics', 'create', 'air']);
    await headwaterProcess(gateway.dataDir, ['produce', 'air'], 'c\n');
    expect(await headwaterProcess(gateway.dataDir, consume)).toEqual({ code: 0, output: 'c\n', errors: '' });
    expect(await describedBy(gateway, 'air')).toMatchObject({
      settings: { priority: { value: 5, source: 'default' } },
      partitions: [{ logStartOffset: 2, highWatermark: 3 }],
    });
    expect(await (await gateway.api('/metrics')).text()).toContain(
      'headwater_high_watermark{topic="air",partition="0"} 3',
    );
  });

  test('one that MQTT or a serial port writes to is not deleted, and publishers notice nothing', async () => {
    await using folder = await temporaryFolder();
    const port = `{name: wind, path: ${join(folder.path, 'tty')}, baud: 9600}`;
    await using gateway = await startGateway({
      dataDir: join(folder.path, 'data'),
      set: [`serial=[${port}]`],
    });
    const client = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
    await client.publishAsync('sensors/1', 'before', { qos: 1 });
    for (const [topic, writers] of [
      ['readings', 'MQTT and the serial port wind'],
      ['dead-letters', 'the serial port wind'],
    ] as const) {
      const { code, errors } = await headwaterProcess(gateway.dataDir, ['topics', 'delete', topic, '--yes']);
      expect(code).toBe(1);
      expect(errors).toMatch(new RegExp(`^${writers} would have nowhere to write to: topic ${topic} cannot`));
    }
    await client.publishAsync('sensors/1', 'after', { qos: 1 });
    await client.endAsync();
    expect(
      await headwaterProcess(gateway.dataDir, ['consume', 'readings', '--from-beginning']),
    ).toMatchObject({
      output: 'before\nafter\n',
    });
  });

  test('are read from a time on', async () => {
    await using folder = await temporaryFolder();
    await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
    await headwaterProcess(gateway.dataDir, ['produce', 'readings'], 'before\n');
    const [line = ''] = (await (await gateway.api('/api/records?topic=readings')).text()).split('\n');
    const { timestampMs } = JSON.parse(line) as { timestampMs: number };
    await expect.poll(() => Date.now()).toBeGreaterThan(timestampMs);
    await headwaterProcess(gateway.dataDir, ['produce', 'readings'], 'after\n');
    const from = async (moment: string): Promise<string> =>
      (await headwaterProcess(gateway.dataDir, ['consume', 'readings', '--from-time', moment])).output;
    expect(await from(new Date(timestampMs + 1).toISOString())).toBe('after\n');
    expect(await from(new Date(timestampMs).toISOString())).toBe('before\nafter\n');
    expect(await from('1h ago')).toBe('before\nafter\n');
    expect(await from('0s')).toBe('');
  });
});

test('no metric tells of a topic that is deleted', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  await headwaterProcess(gateway.dataDir, ['topics', 'create', 'air']);
  const metrics = async (): Promise<string> => await (await gateway.api('/metrics')).text();
  expect(await metrics()).toContain('headwater_high_watermark{topic="air"');
  await headwaterProcess(gateway.dataDir, ['topics', 'delete', 'air', '--yes']);
  expect(await metrics()).not.toContain('topic="air"');
});
