import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '../src/edge/status.ts';
import type { AnomalyFeed } from './anomaly-feed.ts';
import { type DemoGateway, statusOf } from './demo-gateway.ts';
import type { Display } from './display.ts';
import type { MqttDevice } from './mqtt-device.ts';
import { type DatedReading, labelledMoments } from './recording.ts';
import type { SerialDevice } from './serial-device.ts';
import type { Stored, View } from './view.ts';

/** A running demo. */
export interface Site {
  readonly dataDir: string;
  readonly gateway: DemoGateway;
  readonly tank: SerialDevice;
  /** Those that speak MQTT. The first one replays the recording. */
  readonly devices: readonly MqttDevice[];
  readonly recording: readonly DatedReading[];
  readonly feed: AnomalyFeed;
  readonly display: Display;
}

/** The topics of the log in which readings are. */
export const readingTopics: readonly string[] = ['plant', 'readings'];

const stepMs = 100;
const stepsForARate = 10;

/** What had come by some moment. */
interface Arrived {
  readonly atMs: number;
  readonly messages: number;
  readonly lines: number;
}

/** Looks at a running demo again and again, and shows it. */
export class Watch {
  readonly #site: Site;
  readonly #arrived: Arrived[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  /** Resolves at the signal with the last view. */
  async run(signal: AbortSignal): Promise<View> {
    while (!signal.aborted) {
      this.#site.display.update(await this.#look());
      await sleep(stepMs, undefined, { signal }).catch(() => {});
    }
    return await this.#look();
  }

  async #look(): Promise<View> {
    const { dataDir, gateway, recording, devices, feed } = this.#site;
    const replayed = devices[0]?.acknowledged ?? 0;
    const now = this.#arrivedNow();
    const before = this.#arrived.at(-stepsForARate) ?? this.#arrived[0] ?? now;
    this.#arrived.push(now);
    const seconds = Math.max(now.atMs - before.atMs, 1) / 1000;
    const at = recording[replayed - 1]?.timeMs ?? 0;
    return {
      mqtt: gateway.mqtt,
      dataDir,
      recording,
      replayed,
      messagesPerSecond: Math.round((now.messages - before.messages) / seconds),
      linesPerSecond: Math.round((now.lines - before.lines) / seconds),
      stored: storedOf(await statusOf(gateway.admin)),
      raised: feed.raised,
      labelled: labelledMoments.filter(({ timeMs }) => timeMs <= at),
    };
  }

  #arrivedNow(): Arrived {
    const { devices, tank } = this.#site;
    const messages = devices.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    return { atMs: performance.now(), messages, lines: tank.sent.length };
  }
}

function storedOf({ topics, log, card, anomaly }: StatusReport): Stored {
  return {
    readings: storedIn(topics, readingTopics),
    commits: log.commits,
    payloadBytes: card.payloadBytes,
    waiting: anomaly?.lagRecords ?? 0,
    series: anomaly?.series ?? 0,
  };
}

/** Records that some topics hold. */
export function storedIn(topics: StatusReport['topics'], names: readonly string[]): number {
  return topics
    .filter(({ name }) => names.includes(name))
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { logStartOffset, highWatermark }) => sum + highWatermark - logStartOffset, 0);
}
