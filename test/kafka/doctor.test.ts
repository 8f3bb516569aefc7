import { afterEach, expect, test } from 'vitest';
import { session } from '../edge/cli/fake-gateway.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import { freePorts } from './ports.ts';
import { kafkaTools } from './tools.ts';

let cluster: Cluster | undefined;

afterEach(async () => await cluster?.close());

async function examined(options: ClusterOptions, prepare?: (cluster: Cluster) => Promise<void>) {
  cluster = await startCluster(options);
  await prepare?.(cluster);
  const set = `forwarder.brokers=[${cluster.bootstrap.join(',')}]`;
  return await session(['doctor', 'kafka', '--set', 'gateway.name=gw1', '--set', set]);
}

test('a new cluster of three brokers is well', async () => {
  const { code, output } = await examined({ brokers: 3 });
  expect(output).toMatch(
    /^ok {5}cluster +\S{22}; brokers: 1 at .*; controller [123]; transaction\.version 2$/m,
  );
  for (const broker of [1, 2, 3])
    expect(output).toMatch(new RegExp(`^ok +broker ${broker} +advertises`, 'm'));
  expect(output).toContain('none of this gateway yet');
  expect(output).toContain('there is a coordinator for transactional ids');
  expect({ code, end: output.split('\n').at(-2) }).toEqual({ code: 0, end: 'all is well' });
});

test('a checkpoint topic with the wrong policy is found', async () => {
  const { code, output } = await examined({ brokers: 1 }, async ({ bootstrap }) => {
    const tools = kafkaTools(bootstrap);
    await tools.createTopic('gw1.readings');
    await tools.createTopic('gw1.headwater-checkpoint');
  });
  expect(output).toMatch(/^ok {5}topics +gw1\.readings$/m);
  expect(output).toMatch(/^WRONG {2}checkpoint +topic gw1\.headwater-checkpoint has cleanup\.policy=delete/m);
  expect(code).toBe(1);
});

test('a checkpoint topic that grows large is a warning, and its command makes all well', async () => {
  const settings = { 'cleanup.policy': 'compact' };
  const { code, output } = await examined({ brokers: 1 }, async ({ bootstrap }) => {
    await kafkaTools(bootstrap).createTopic('gw1.headwater-checkpoint', { settings });
  });
  expect(output).toMatch(/^warn {3}checkpoint +.* grows large with segment\.ms=604800000 instead of/m);
  expect({ code, end: output.split('\n').at(-2) }).toEqual({
    code: 0,
    end: 'nothing is wrong, but there is 1 warning',
  });
  const command = /kafka-configs\.sh (.*)$/m.exec(output)?.[1] ?? '';
  const bootstrap = cluster?.bootstrap ?? [];
  await kafkaTools(bootstrap).changeSettings(command.split(' '));
  const set = `forwarder.brokers=[${bootstrap.join(',')}]`;
  const mended = await session(['doctor', 'kafka', '--set', 'gateway.name=gw1', '--set', set]);
  expect(mended.output).toContain('topic gw1.headwater-checkpoint is compacted, and stays small');
  expect(mended.output.split('\n').at(-2)).toBe('all is well');
});

test('a wrong advertised.listeners is explained, with what to set', async () => {
  const [unused = 0] = await freePorts(1);
  const properties = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${unused}` };
  const { code, output } = await examined({ brokers: 1, properties });
  const port = cluster?.bootstrap[0]?.split(':')[1];
  expect(output).toContain(
    `advertises 127.0.0.1:${unused}, but nothing listens on port ${unused} there, while a broker answers on port ${port}`,
  );
  expect(output).toContain(`Set advertised.listeners of broker 1`);
  expect({ code, end: output.split('\n').at(-2) }).toEqual({ code: 1, end: '1 thing is wrong' });
});
