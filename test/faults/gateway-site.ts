import { rmSync } from 'node:fs';
import { laneNames } from '../../src/log/types.ts';
import { statusOf } from '../kafka/oracles.ts';
import { freePorts } from '../kafka/ports.ts';
import { findCommand } from '../kafka/processes.ts';
import { until } from '../kafka/until.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { KafkaSite } from './kafka-site.ts';

export const PARTITIONS = 8;
const DEVICES = 40;
/** Of one device: readings on their way. */
const WINDOW = 20;
/** With its name and number a reading is about 1,000 bytes, which hardly shrink. */
const NOISE_BYTES = 700;
/** What a reading takes on the link in a backlog, about. */
const LINK_BYTES_PER_READING = 750;

const hook = new URL('../support/plant-hook.ts', import.meta.url).href;

/** Nothing has moved for so long: more than a request that times out, the longest back-off and a busy machine. */
export const STALL_MS_MAX = 180_000;

export interface GatewaySiteOptions {
  readonly kafka: KafkaSite;
  /** Of the gateway, so that gateways one after the other share a cluster. */
  readonly name: string;
  readonly readings: number;
  /** A bug that runs in the gateway. */
  readonly plant?: string | undefined;
  readonly stallMsMax?: number | undefined;
}

/** A gateway that reaches the cluster over the links only, and its sensors. Disposing of it ends both. */
export class GatewaySite implements AsyncDisposable {
  readonly fleet: SensorFleet;
  readonly topic: string;
  readonly checkpointTopic: string;
  readonly kafka: KafkaSite;
  readonly #stallMsMax: number;
  readonly #start: () => Promise<RunningGateway>;
  readonly #dispose: () => Promise<void>;
  #gateway: RunningGateway;
  #isOver = false;
  readonly #sending: Promise<void>;

  static async start(options: GatewaySiteOptions): Promise<GatewaySite> {
    const folder = await temporaryFolder();
    const [port] = await freePorts(1);
    const { kafka, name, plant } = options;
    const mqtt = `127.0.0.1:${port}`;
    const set = [
      `forwarder.brokers=[${kafka.links.map(({ address }) => address).join(',')}]`,
      'forwarder.lingerMs=20',
      `gateway.name=${name}`,
      `topics.readings.partitions=${PARTITIONS}`,
      `mqtt.listen=${mqtt}`,
    ];
    const runner = [...endsWithThisProcess(), ...(plant === undefined ? [] : planted(plant))];
    const gatewayOptions = { dataDir: `${folder.path}/data`, startMsMax: STALL_MS_MAX };
    let starts = 0;
    const start = (): Promise<RunningGateway> => {
      // Each process has the readings in the other lane than the one before.
      const lane = laneNames[starts % laneNames.length];
      starts += 1;
      const options = { ...gatewayOptions, set: [...set, `topics.readings.lane=${lane}`] };
      return startGateway(runner.length === 0 ? options : { ...options, runner });
    };
    return new GatewaySite(options, mqtt, start, await start(), folder);
  }

  private constructor(
    { kafka, name, readings, stallMsMax = STALL_MS_MAX }: GatewaySiteOptions,
    mqtt: string,
    start: () => Promise<RunningGateway>,
    gateway: RunningGateway,
    folder: AsyncDisposable & { readonly path: string },
  ) {
    this.kafka = kafka;
    this.topic = `${name}.readings`;
    this.checkpointTopic = `${name}.headwater-checkpoint`;
    this.#stallMsMax = stallMsMax;
    this.#start = start;
    this.#gateway = gateway;
    const readingsPerDevice = Math.ceil(readings / DEVICES);
    this.fleet = new SensorFleet({
      ...{ devices: DEVICES, readingsPerDevice, window: WINDOW, mqtt },
      ...{ noiseBytes: NOISE_BYTES, allowed: 0 },
    });
    this.#sending = this.fleet.run();
    // However this process ends, nothing stays behind.
    const clean = (): void => {
      this.#gateway.kill('SIGKILL').catch(() => {});
      rmSync(folder.path, { recursive: true, force: true, maxRetries: 3 });
    };
    process.once('exit', clean);
    this.#dispose = async () => {
      process.off('exit', clean);
      await folder[Symbol.asyncDispose]();
    };
  }

  get gateway(): RunningGateway {
    return this.#gateway;
  }

  /** SIGKILL, and the start of the next process on the same folder; resolves when that one takes readings. */
  async killGateway(): Promise<void> {
    await this.#gateway.kill('SIGKILL');
    this.#gateway = await this.#start();
  }

  /** Resolves when so many readings are acknowledged to the sensors. @throws Stalled */
  async acknowledged(count: number): Promise<void> {
    const look = (): Promise<number> => Promise.resolve(this.fleet.acknowledged.length);
    await this.#watch(`${count} readings are acknowledged`, look, (acknowledged) => acknowledged >= count);
  }

  /** Resolves when the cluster has confirmed something to this process, and lacks at most so many. @throws Stalled */
  async caughtUp(lagRecordsMax: number): Promise<void> {
    // Attempts that lead nowhere carry bytes as well.
    const look = async (): Promise<Progress> => ({ ...(await this.#progress()), carried: 0 });
    await this.#watch('the mirror has caught up', look, (now) => isClose(now, lagRecordsMax));
  }

  /** Resolves when the links have carried so many bytes in all, or there is no more to carry. @throws Stalled */
  async hasCarried(bytes: number, lagRecordsMax: number): Promise<void> {
    const isThere = (now: Progress): boolean => now.carried >= bytes || isClose(now, lagRecordsMax);
    await this.#watch('a part of the backlog is on its way', this.#progress, isThere);
  }

  /** What the gateway holds in segments, bytes; 0 soon after its start. */
  async segmentBytes(): Promise<number> {
    const metrics = await (await this.#gateway.api('/metrics')).text();
    return Number(/^headwater_segment_bytes (\S+)$/m.exec(metrics)?.[1]);
  }

  /** Resolves when the gateway has more than so many bytes in segments. @throws Stalled */
  async hasSealed(bytes: number): Promise<void> {
    await this.#watch(
      'what is stored is sealed',
      () => this.segmentBytes(),
      (now) => now > bytes,
    );
  }

  /** Bytes that the links have carried towards the cluster. */
  carried(): number {
    return this.kafka.links.reduce((sum, { bytes }) => sum + bytes.toTarget, 0);
  }

  /** About how many bytes a backlog takes on the links. */
  async backlogBytes(): Promise<number> {
    return (await this.#progress()).lagRecords * LINK_BYTES_PER_READING;
  }

  /** Resolves when all readings of all sensors are acknowledged. */
  async sent(): Promise<void> {
    this.fleet.allow(Number.MAX_SAFE_INTEGER);
    await Promise.race([this.#sending, this.acknowledged(Number.POSITIVE_INFINITY)]);
    this.#isOver = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.fleet.stop();
    await this.#gateway.kill('SIGKILL');
    await this.#sending;
    await this.#dispose();
  }

  readonly #progress = async (): Promise<Progress> => {
    const { forwarder } = await statusOf(this.#gateway);
    const { lagRecords = 0, recordsAcknowledged = 0 } = forwarder ?? {};
    return { lagRecords, recordsAcknowledged, carried: this.carried() };
  };

  async #watch<Seen>(
    what: string,
    look: () => Promise<Seen>,
    isDone: (seen: Seen) => boolean,
  ): Promise<void> {
    let before = '';
    let sinceMs = performance.now();
    await until(what, Number.POSITIVE_INFINITY, async () => {
      const seen = await look();
      if (isDone(seen) || this.#isOver) return true;
      const now = JSON.stringify(seen);
      if (now !== before) sinceMs = performance.now();
      before = now;
      if (performance.now() - sinceMs < this.#stallMsMax) return undefined;
      const { forwarder } = await statusOf(this.#gateway);
      throw new Stalled(`nothing moves any more, and still not: ${what}. ${JSON.stringify(forwarder)}`);
    });
  }
}

/** A command that runs what is behind it, and has the kernel kill it when this process is gone. */
const endsWithThisProcess = (): readonly string[] =>
  findCommand('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig', 'KILL'];

/** One that runs it with a bug planted. */
const planted = (plant: string): readonly string[] => [
  'env',
  `HEADWATER_PLANT=${plant}`,
  `NODE_OPTIONS=--import=${hook}`,
];

/** Nothing moves any more. */
export class Stalled extends Error {}

/** Of the mirror, in this run of the gateway. */
interface Progress {
  readonly lagRecords: number;
  readonly recordsAcknowledged: number;
  /** Bytes that the links have carried. */
  readonly carried: number;
}

const isClose = ({ lagRecords, recordsAcknowledged }: Progress, lagRecordsMax: number): boolean =>
  lagRecords === 0 || (recordsAcknowledged > 0 && lagRecords <= lagRecordsMax);
