import type { ClockReading } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { TopicMapping } from '../forwarder/cluster/topic-mapping.ts';
import type { Forwarder } from '../forwarder/forwarder.ts';
import type { MirrorForwarding } from '../forwarder/mirror/mirror-forwarding.ts';
import { isSetAt } from '../log/clock/clock-epoch.ts';
import type { Log } from '../log/log.ts';
import { boardSerial } from '../platform/board-serial.ts';
import { machineLocalTime } from '../platform/local-time.ts';
import { nodeClock } from '../platform/node-clock.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { accessReader, accessWarnings } from './cluster-credentials.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { reportMirror } from './mirror-report.ts';
import type { StartedParts } from './started-parts.ts';

export interface StartForwarderOptions {
  readonly config: Config['forwarder'];
  readonly log: Log;
  readonly readClock: () => ClockReading;
  readonly mapping: TopicMapping;
  /** Is told what the forwarder has brought away. */
  readonly forwarding: MirrorForwarding;
  readonly parts: StartedParts;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told of what is wrong with the credentials. */
  readonly print: (line: string) => void;
}

/** Starts the mirror to the configured cluster, whether that can be reached or not. */
export async function startForwarder(options: StartForwarderOptions): Promise<Forwarder> {
  const { config: forwarder, log, readClock, mapping, forwarding, parts, logger, metrics } = options;
  // Loaded only now: the Kafka library takes as long to load as all the rest, and readings need not wait for it.
  const module = await import('../forwarder/forwarder.ts');
  const surroundings = { clock: nodeClock, random: nodeRandom, environment: process.env };
  const readAccess = accessReader(forwarder, surroundings);
  // Told, but no reason not to start: files may come later, and readings are to be taken in whatever happens.
  for (const warning of await accessWarnings(forwarder, readAccess)) options.print(`warning: ${warning}`);
  // Who does not wait for the clock says that it is right.
  const isTimeKnown = (): boolean => forwarder.waitForClock === 0 || isSetAt(log.clockEpoch, readClock());
  const started = new module.Forwarder({
    log,
    brokers: forwarder.brokers.map(formatAddress),
    readAccess,
    mapping,
    creation: forwarder.create,
    lingerMs: forwarder.lingerMs,
    waitForClockMs: forwarder.waitForClock,
    bytesPerSecond: forwarder.bytesPerSecond,
    meteredLink: { ...forwarder, localTime: machineLocalTime, isClockSet: isTimeKnown },
    delivery: forwarder.delivery,
    onCheckpointLost: forwarder.onCheckpointLost,
    board: await boardSerial(),
    clock: nodeClock,
    random: nodeRandom,
    logger,
    metrics,
  });
  forwarding.follow(started);
  started.start();
  const stopping = new AbortController();
  const reporting = reportMirror(
    { status: () => started.status(), clock: nodeClock, logger },
    stopping.signal,
  );
  parts.add('forwarder', async () => {
    stopping.abort();
    await reporting;
    await started.stop();
  });
  return started;
}
