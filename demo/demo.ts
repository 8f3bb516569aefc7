import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { AnomalyFeed } from './anomaly-feed.ts';
import { startDemoGateway, statusOf } from './demo-gateway.ts';
import type { Display } from './display.ts';
import { MqttDevice } from './mqtt-device.ts';
import { plantSensors, type Sensor, tankLines } from './plant.ts';
import { type DatedReading, readRecording } from './recording.ts';
import { ReplayClock } from './replay-clock.ts';
import { SerialDevice } from './serial-device.ts';
import { checkStored } from './stored-check.ts';
import { type Claim, claims } from './summary.ts';
import { until } from './until.ts';
import type { View } from './view.ts';
import { readingTopics, type Site, storedIn, Watch } from './watch.ts';

/**
 * Starts a gateway, replays the recording in so many seconds (0: as fast as it goes), shows it, and resolves with what that has shown, when
 * nothing of it is left. Rejects with what goes wrong, or with an `AbortError` at the signal; then as well nothing is left.
 */
export async function runDemo(
  seconds: number,
  display: Display,
  onFolder: (path: string) => void,
  signal: AbortSignal,
): Promise<readonly Claim[]> {
  const recording = await readRecording();
  const sensors = plantSensors(recording);
  let shown: readonly Claim[];
  let path: string;
  {
    await using folder = await temporaryFolder();
    path = folder.path;
    onFolder(path);
    shown = await runIn(join(path, 'data'), { recording, sensors, seconds, display, signal });
  }
  const isGone = await access(path).then(
    () => false,
    () => true,
  );
  return [...shown, tidyClaim(isGone)];
}

const tidyClaim = (isGone: boolean): Claim => ({
  isShown: isGone,
  text: isGone
    ? 'The gateway has stopped and its folder is gone: nothing is left behind.'
    : 'The folder of the gateway is STILL there.',
  details: [],
});

interface Run {
  readonly recording: readonly DatedReading[];
  readonly sensors: readonly Sensor[];
  readonly seconds: number;
  readonly display: Display;
  readonly signal: AbortSignal;
}

async function runIn(dataDir: string, run: Run): Promise<readonly Claim[]> {
  const { recording, sensors, seconds, display, signal } = run;
  const tank = new SerialDevice(tankLines());
  const gateway = await startDemoGateway(dataDir, tank.open, signal);
  const over = new AbortController();
  const untilOver = AbortSignal.any([signal, over.signal]);
  const feed = new AnomalyFeed((event) => display.found(event));
  const devices: MqttDevice[] = [];
  const following = feed.follow(gateway.admin, untilOver);
  let watching: Promise<View> | undefined;
  try {
    for (const sensor of sensors) devices.push(await MqttDevice.connect(gateway.mqtt, sensor));
    await until('the serial port is open', signal, () => Promise.resolve(tank.isOpen));
    const site = { dataDir, gateway, tank, devices, recording, feed, display };
    watching = new Watch(site).run(untilOver);
    const all = replay(site, seconds, untilOver).then(() =>
      until('everything is judged', signal, () => isJudged(site)),
    );
    await Promise.race([all, watching, following]);
    over.abort();
    display.finish(await watching);
    signal.throwIfAborted();
    return claims(feed.raised, sensors, await checkStored(gateway.admin, devices, tank.sent));
  } finally {
    over.abort();
    await Promise.allSettled([following, watching, ...devices.map((device) => device.disconnect())]);
    await gateway.stop();
  }
}

async function replay(
  { recording, devices, tank }: Site,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const fromMs = recording[0]?.timeMs ?? 0;
  const clock = new ReplayClock(fromMs, recording.at(-1)?.timeMs ?? 0, seconds * 1000);
  const share = (): number => (devices[0]?.acknowledged ?? 0) / recording.length;
  await Promise.all([tank.send(share, signal), ...devices.map((device) => device.send(clock, signal))]);
}

/** Whether all that was sent is stored, has been looked at, and what was found has come here. */
async function isJudged({ gateway, devices, tank, feed }: Site): Promise<boolean> {
  const { topics, anomaly } = await statusOf(gateway.admin);
  const acknowledged = devices.reduce((sum, device) => sum + device.acknowledged, 0);
  const isStored = storedIn(topics, readingTopics) === acknowledged + tank.sent.length;
  return isStored && anomaly?.lagRecords === 0 && storedIn(topics, ['anomalies']) === feed.seen;
}
