import { join } from 'node:path';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a subscriber of $headwater/# is told at once how the gateway is, and nobody else may say so', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const client = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
  try {
    const told = new Map<string, { readonly text: string; readonly retain: boolean }>();
    client.on('message', (topic, payload, { retain }) => told.set(topic, { text: `${payload}`, retain }));
    await client.subscribeAsync('$headwater/#');
    await expect.poll(() => told.size, { timeout: 20_000 }).toBe(6);
    expect(told.get('$headwater/state')).toEqual({ text: 'ready', retain: true });
    expect(told.get('$headwater/forwarder/state')?.text).toBe('off');
    expect(told.get('$headwater/alerts')?.text).toBe('[]');
    expect(JSON.parse(told.get('$headwater/status')?.text ?? '')).toMatchObject({
      state: 'ready',
      reasons: [],
    });
    // What it says reaches no topic of the log, and is kept by no session.
    const { topics } = (await (await gateway.api('/api/topics')).json()) as {
      topics: readonly { name: string }[];
    };
    expect(topics.map(({ name }) => name).toSorted()).toEqual(['anomalies', 'clock', 'readings']);
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.publish('$headwater/state', 'degraded', { qos: 1, retain: true });
    await closed;
  } finally {
    client.end(true);
  }
});
