import { afterEach, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { drained, judgeCentral } from './oracles.ts';
import { restartAll, stopAll } from './outage.ts';

const DEVICES = 10;
const READINGS_PER_DEVICE = 1_200;
const TOTAL = DEVICES * READINGS_PER_DEVICE;

/** A random whole number of acknowledgements in [from, to): where a fault strikes. */
const somewhere = (from: number, to: number): number => Math.floor(from + Math.random() * (to - from));

let cluster: Cluster | undefined;
let gateway: RunningGateway | undefined;

afterEach(async () => {
  await gateway?.kill('SIGKILL');
  await cluster?.close();
});

describe('from the sensor to Kafka', () => {
  test('nothing acknowledged is lost or doubled over three SIGKILLs and a stop of all of Kafka', async () => {
    await using folder = await temporaryFolder();
    const kafka = await startCluster({ brokers: 3 });
    cluster = kafka;
    const set = [
      `forwarder.brokers=[${kafka.bootstrap.join(',')}]`,
      'forwarder.lingerMs=20',
      'gateway.name=gw1',
      'topics.readings.partitions=2',
    ];
    gateway = await startGateway({ dataDir: `${folder.path}/data`, set });
    const { mqtt } = gateway;
    const fleet = new SensorFleet({
      devices: DEVICES,
      readingsPerDevice: READINGS_PER_DEVICE,
      window: 20,
      mqtt,
    });
    const sending = fleet.run();

    const restart = async (): Promise<void> => {
      await gateway?.kill('SIGKILL');
      gateway = await startGateway({ dataDir: `${folder.path}/data`, set: [...set, `mqtt.listen=${mqtt}`] });
    };
    await fleet.reached(somewhere(500, TOTAL / 4));
    await restart();
    await fleet.reached(somewhere(TOTAL / 4, TOTAL / 3));
    await stopAll(kafka);
    await fleet.reached(somewhere(TOTAL / 3, TOTAL / 2));
    await restart();
    await fleet.reached(somewhere(TOTAL / 2, (TOTAL * 2) / 3));
    await restartAll(kafka);
    await fleet.reached(somewhere((TOTAL * 2) / 3, TOTAL - 500));
    await restart();
    await sending;
    expect(fleet.acknowledged).toHaveLength(TOTAL);

    await drained(gateway);
    const { bootstrap } = kafka;
    const evidence = { gateway, bootstrap, partitions: 2, acknowledged: fleet.acknowledged };
    expect(await judgeCentral(evidence)).toEqual([]);
  });
});
