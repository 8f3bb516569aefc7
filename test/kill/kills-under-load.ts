import { nodeClock } from '../../src/platform/node-clock.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { isExactDevice, Qos2Fleet } from '../support/qos2-fleet.ts';
import { type Finding, findWrongReadings } from '../support/reading-oracle.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PARTITIONS = 2;
const WINDOW = 10;
const READINGS_PER_KILL = 2_000;
const POLL_MS = 5;
/** A kill strikes so long after a random acknowledgement, at most: anywhere in a commit, or in between. */
const LATER_MS_MAX = 40;
const hook = new URL('../support/plant-hook.ts', import.meta.url).href;

export interface KillsOptions {
  /** SIGKILLs, at random instants under load. */
  readonly kills: number;
  /** The first half publishes with QoS 1, the second with QoS 2, each with ten messages under way. */
  readonly clients: number;
  /** A bug in the gateway. */
  readonly plant?: string;
  readonly onKill?: (kill: number, acknowledged: number) => void;
}

export interface KillsOutcome {
  /** By the senders' own lists. */
  readonly acknowledged: number;
  readonly sent: number;
  readonly stored: number;
  readonly wrong: readonly Finding[];
  /** QoS 2 packets sent again after a kill: without any, no kill came in the midst of a handshake. */
  readonly resent: { readonly publishes: number; readonly releases: number };
}

/**
 * Clients that keep their own lists of what was acknowledged send to the real daemon, which is killed and started again and again; in the
 * end the lists are compared with what is stored. Rejects if the clients did not get everything acknowledged.
 */
export async function killsUnderLoad({ kills, clients, plant, onKill }: KillsOptions): Promise<KillsOutcome> {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const planted = plant === undefined ? {} : { HEADWATER_PLANT: plant, NODE_OPTIONS: `--import=${hook}` };
  const env = { ...process.env, ...planted };
  const set = [`topics.readings.partitions=${PARTITIONS}`];
  const devices = Math.ceil(clients / 2);
  const readingsPerDevice = Math.ceil(((kills + 1) * READINGS_PER_KILL) / (2 * devices));
  const total = 2 * devices * readingsPerDevice;
  let gateway = await startGateway({ dataDir, set, env });
  const { mqtt } = gateway;
  const fleet = { devices, readingsPerDevice, window: WINDOW, mqtt };
  const sensors = new SensorFleet(fleet);
  const exact = new Qos2Fleet(fleet);
  const acknowledged = (): number => sensors.acknowledged.length + exact.acknowledged.length;
  try {
    const sending = Promise.all([sensors.run(), exact.run()]);
    for (let kill = 1; kill <= kills; kill += 1) {
      const share = total / (kills + 1);
      const strike = (kill - 1) * share + Math.random() * share;
      while (acknowledged() < strike) await nodeClock.sleep(POLL_MS);
      await nodeClock.sleep(Math.random() * LATER_MS_MAX);
      if (acknowledged() === total) throw new Error(`all is acknowledged before kill ${kill}`);
      await gateway.kill('SIGKILL');
      onKill?.(kill, acknowledged());
      gateway = await startGateway({ dataDir, set: [...set, `mqtt.listen=${mqtt}`], env });
    }
    await sending;
    const stored = await storedValues(gateway);
    const all = [...sensors.acknowledged, ...exact.acknowledged];
    const wrong = findWrongReadings(all, stored, { isExact: isExactDevice });
    return { acknowledged: all.length, sent: total, stored: stored.length, wrong, resent: exact.resent };
  } finally {
    sensors.stop();
    exact.stop();
    await gateway.kill('SIGKILL');
  }
}

async function storedValues(gateway: RunningGateway): Promise<string[]> {
  const values: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const answer = await gateway.api(`/api/records?topic=readings&partition=${partition}&offset=0`);
    const lines = (await answer.text()).trimEnd().split('\n');
    for (const line of lines) values.push((JSON.parse(line) as { value: string }).value);
  }
  return values;
}
