import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../kafka/cluster.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startBrowser, Visitor } from './visitor.ts';

const timeout = 60_000;
const PUBLISH_MS = 50;

let browser: Browser;
let cluster: Cluster;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let gateway: RunningGateway;
let client: MqttClient;
let publishing: ReturnType<typeof setInterval>;

beforeAll(async () => {
  folder = await temporaryFolder();
  [browser, cluster] = await Promise.all([startBrowser(), startCluster({ brokers: 1 })]);
  gateway = await startGateway({
    dataDir: join(folder.path, 'data'),
    set: ['gateway.name=lab-3', `forwarder.brokers=[${cluster.bootstrap}]`, 'forwarder.lingerMs=200'],
  });
  client = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`);
  let count = 0;
  publishing = setInterval(() => {
    count += 1;
    for (const device of ['boiler', 'cellar', 'hall', 'roof'])
      client.publish(`sensors/${device}`, `{"temperature":${(20 + 3 * Math.sin(count / 20)).toFixed(2)}}`, {
        qos: 1,
      });
  }, PUBLISH_MS);
});

afterAll(async () => {
  clearInterval(publishing);
  client?.end(true);
  await browser?.close();
  await gateway?.kill('SIGKILL');
  await cluster?.close();
  await folder[Symbol.asyncDispose]();
});

test('a cluster that stops shows as a growing lag, not as a gateway that is ill; the backlog drains when it is back', async () => {
  await using visitor = await Visitor.arrive(browser, gateway.token);
  const { page } = visitor;
  await visitor.open(`http://${gateway.admin}`);
  const left = page.getByRole('region', { name: 'What left' });
  const waiting = async (): Promise<number> => {
    const figure = await page.locator('.tile', { hasText: 'Left' }).locator('strong').textContent();
    return Number((figure ?? '').replaceAll(',', ''));
  };
  await left.getByText('just now').waitFor({ timeout });
  await expect.poll(() => left.locator('.badge.ok').count(), { timeout }).toBe(1);
  await page.getByText('Nothing is wrong.').waitFor();
  await visitor.shoot('all-well');

  await cluster.stopBroker(1);
  await left.locator('.badge.warn', { hasText: 'trying again' }).waitFor({ timeout });
  const lag = await waiting();
  await expect.poll(waiting, { timeout }).toBeGreaterThan(lag + 100);
  expect(await page.locator('#verdict').textContent()).toBe('ready: readings are accepted');
  expect(await page.locator('.tile.bad, .badge.bad').count()).toBe(0);
  // MQTT clients are; of the cluster it would say nothing.
  const connected = /(?<!not )connected/i;
  const ofClients = await page.locator('#clients').getByText(connected).count();
  expect(await page.getByText(connected).count()).toBe(ofClients);
  await left.getByText('Last acknowledged').waitFor();
  await visitor.shoot('cluster-stopped');

  await cluster.restart(1);
  await expect.poll(waiting, { timeout }).toBeLessThan(50);
  await left.getByText('just now').waitFor({ timeout });
  await expect.poll(() => left.locator('.badge.ok').count(), { timeout }).toBe(1);
  expect([...visitor.origins]).toEqual([`http://${gateway.admin}`]);
  expect(visitor.faults).toEqual([]);
});
