import { connectAsync, type MqttClient } from 'mqtt';
import type { StatusReport } from '../../src/edge/status.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import type { ToldVerdict } from '../support/anomaly-site.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { SimRandom } from '../support/sim-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SENSORS = 6;
const MINUTE_MS = 60_000;
const START_MS = 1_400_000_000_000;
const WINDOW = 100;
const POLL_MS = 20;
const KILL_MS_MAX = 60;
const CAUGHT_UP_MS_MAX = 60_000;
/** Each reading says when it was taken, so that it means the same whenever it arrives. */
const settings = [
  "mqtt.routes=[{match: 'sensors/#', topic: air, time: {path: time, unit: ms}}]",
  'data.commitIntervalMs=5',
];

export interface AlertsOutcome {
  readonly readings: number;
  /** Verdicts of the gateway that was killed, and of one that nothing disturbed, silences left out. */
  readonly told: readonly string[];
  readonly expected: readonly string[];
}

/**
 * Sensors with many faults send to the real daemon, which is killed at random instants. Then what it has stored is sent to another one,
 * in its order and with its times, which is not killed: both must have told the same anomalies. Silences are told by a timer, and are
 * another matter.
 */
export async function alertsUnderKills(kills: number, readingsPerKill: number): Promise<AlertsOutcome> {
  await using folder = await temporaryFolder();
  const readings = faultyReadings((kills + 1) * readingsPerKill);
  const killed = await killedRun(`${folder.path}/killed`, readings, kills, readingsPerKill);
  await using undisturbed = await startGateway({ dataDir: `${folder.path}/undisturbed`, set: settings });
  await publishAll(undisturbed.mqtt, killed.stored, () => {});
  await caughtUp(undisturbed, killed.stored.length);
  return { readings: killed.stored.length, told: killed.told, expected: await toldBy(undisturbed) };
}

interface Message {
  readonly topic: string;
  readonly payload: string;
}

async function killedRun(dataDir: string, readings: readonly Message[], kills: number, perKill: number) {
  let gateway = await startGateway({ dataDir, set: settings });
  const { mqtt } = gateway;
  try {
    let acknowledged = 0;
    const sending = publishAll(mqtt, readings, () => {
      acknowledged += 1;
    });
    for (let kill = 1; kill <= kills; kill += 1) {
      while (acknowledged < kill * perKill) await nodeClock.sleep(POLL_MS);
      await nodeClock.sleep(Math.random() * KILL_MS_MAX);
      await gateway.kill('SIGKILL');
      gateway = await startGateway({ dataDir, set: [...settings, `mqtt.listen=${mqtt}`] });
    }
    await sending;
    const stored = await recordsOf(gateway, 'air');
    await caughtUp(gateway, null);
    return {
      stored: stored.map(({ key, value }) => ({ topic: key ?? '', payload: value })),
      told: await toldBy(gateway),
    };
  } finally {
    await gateway.kill('SIGKILL');
  }
}

/** In their order, so many under way at a time; after a lost connection those again that were not acknowledged. */
async function publishAll(
  mqtt: string,
  messages: readonly Message[],
  onAcknowledged: () => void,
): Promise<void> {
  const isAcknowledged = new Set<number>();
  while (isAcknowledged.size < messages.length) {
    const client = await connectAsync(`mqtt://${mqtt}`, { reconnectPeriod: 0 }, false).catch(() => null);
    if (client === null) {
      await nodeClock.sleep(POLL_MS);
      continue;
    }
    client.on('error', () => {});
    await publishOver(client, messages, isAcknowledged, async (index, { topic, payload }) => {
      await client.publishAsync(topic, payload, { qos: 1 });
      isAcknowledged.add(index);
      onAcknowledged();
    });
    client.end(true);
  }
}

/** Ends when all is acknowledged, or with the connection. */
async function publishOver(
  client: MqttClient,
  messages: readonly Message[],
  isAcknowledged: ReadonlySet<number>,
  publish: (index: number, message: Message) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let isClosed = !client.connected;
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => {
      isClosed = true;
      resolve();
    });
  });
  for (const [index, message] of messages.entries()) {
    if (isAcknowledged.has(index)) continue;
    if (isClosed) return;
    const sent = publish(index, message).then(
      () => void underWay.delete(sent),
      () => void underWay.delete(sent),
    );
    underWay.add(sent);
    if (underWay.size >= WINDOW) await Promise.race([...underWay, closed]);
  }
  await Promise.race([Promise.all(underWay), closed]);
}

/** A day has its course; now and then a sensor is stuck, jumps, or says what stands for a fault. */
function faultyReadings(count: number): Message[] {
  const random = new SimRandom(7);
  const stuckUntil = new Map<number, number>();
  const lastOf = new Map<number, number>();
  return Array.from({ length: count }, (_, index) => {
    const sensor = index % SENSORS;
    const minute = Math.floor(index / SENSORS);
    const usual = 20 + 4 * Math.sin((minute / 1440) * 2 * Math.PI) + random.next();
    if (random.chance(1 / 400)) stuckUntil.set(sensor, minute + 60);
    const isStuck = (stuckUntil.get(sensor) ?? 0) > minute;
    const fault = random.chance(1 / 200) ? (random.chance(0.5) ? -127 : usual + 60) : usual;
    const value = isStuck ? (lastOf.get(sensor) ?? usual) : Number(fault.toFixed(3));
    lastOf.set(sensor, value);
    const payload = JSON.stringify({ time: START_MS + minute * MINUTE_MS, temperature: value });
    return { topic: `sensors/${sensor}`, payload };
  });
}

/** Until detection has looked at everything; `readings` of them, if that is known. */
async function caughtUp(gateway: RunningGateway, readings: number | null): Promise<void> {
  const untilMs = nodeClock.monotonicMs() + CAUGHT_UP_MS_MAX;
  for (;;) {
    const { anomaly } = (await (await gateway.api('/api/status')).json()) as StatusReport;
    const isAll = readings === null || anomaly?.readings === readings;
    if (anomaly?.lagRecords === 0 && isAll) return;
    if (nodeClock.monotonicMs() > untilMs)
      throw new Error(`detection did not catch up: ${JSON.stringify(anomaly)}`);
    await nodeClock.sleep(POLL_MS);
  }
}

async function toldBy(gateway: RunningGateway): Promise<readonly string[]> {
  const verdicts = (await recordsOf(gateway, 'anomalies')).map(
    ({ value }) => JSON.parse(value) as ToldVerdict,
  );
  return verdicts
    .filter(({ kind }) => kind !== 'silence')
    .map(({ event, kind, series, id, firstOffset, timeMs }) =>
      [series, event, kind, id, firstOffset, timeMs].join(' '),
    );
}

async function recordsOf(
  gateway: RunningGateway,
  topic: string,
): Promise<{ key: string | null; value: string }[]> {
  const answer = await gateway.api(`/api/records?topic=${topic}&partition=0&offset=0`);
  const lines = (await answer.text()).trimEnd().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}
