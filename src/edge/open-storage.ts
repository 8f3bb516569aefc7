import type { Logger } from '../core/logger.ts';
import type { MirrorForwarding } from '../forwarder/mirror/mirror-forwarding.ts';
import type { Log, LogOptions } from '../log/log.ts';
import { readBootId } from '../platform/boot-id.ts';
import type { CountedDisk } from '../platform/counted-disk.ts';
import { freeBytes } from '../platform/free-space.ts';
import { linuxStorageDevice } from '../platform/linux-storage-device.ts';
import { clockReader, nodeClock } from '../platform/node-clock.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { readParentLog } from './backup/parent-log.ts';
import { CardWear } from './card-wear.ts';
import type { Config } from './config/schema.ts';
import { Housekeeping } from './housekeeping.ts';
import type { Machine } from './machine.ts';
import { openLog } from './open-log.ts';
import type { RunTotals } from './run-totals.ts';
import { WorkerSessionStore } from './session-store/worker-session-store.ts';
import type { StartedParts } from './started-parts.ts';
import { version } from './version.ts';
import { WorkerSealer } from './worker-sealer.ts';

export interface StorageOptions {
  readonly config: Config['data'];
  readonly dataDir: string;
  /** What is below it. */
  readonly disk: CountedDisk;
  /** What the log may remove, as far as the mirror is concerned. */
  readonly forwarding: MirrorForwarding;
  readonly isClockSet: Machine['isClockSet'];
  /** What anomaly detection has saved. */
  readonly stateBytes: () => number;
  readonly parts: StartedParts;
  readonly logger: Logger;
  readonly metrics: RunTotals;
}

/**
 * Opens what keeps readings: the log with all that belongs to it. A disk that is full or fails is waited for, until the signal.
 * @throws OperatingError `data-folder-unusable`, `unreadable-format`, `log-unavailable`
 */
export async function openStorage(options: StorageOptions, signal: AbortSignal) {
  const { dataDir, forwarding, parts, logger, metrics } = options;
  const card = await openCard(options);
  const sealer = new WorkerSealer(dataDir, metrics);
  const sessions = new WorkerSessionStore(dataDir, logger.child({ part: 'mqtt' }), metrics);
  const housekeeping = await openHousekeeping(options, sessions);
  const readClock = clockReader(await readBootId(nodeRandom), housekeeping.retention.isClockSet);
  const log = await openGatewayLog(options, { sealer, readClock, retention: housekeeping.retention }, signal);
  card.start();
  // Stopped the other way round: what the log and its thread still write counts.
  parts.add('card', () => card.stop());
  parts.add('sealer', () => sealer.stop());
  forwarding.remember(log);
  parts.add('log', () => log.close());
  housekeeping.start(log);
  parts.add('housekeeping', () => housekeeping.stop());
  return { card, sessions, housekeeping, readClock, log, parentLog: await readParentLog(dataDir) };
}

function openCard({ config, dataDir, disk, logger, metrics }: StorageOptions): Promise<CardWear> {
  return CardWear.open({
    disk,
    thisRun: () => metrics.totals(),
    endurance: config.endurance,
    readDevice: () => linuxStorageDevice(dataDir),
    clock: nodeClock,
    logger: logger.child({ part: 'card' }),
    metrics,
  });
}

function openHousekeeping(
  { config, dataDir, disk, forwarding, isClockSet, stateBytes, logger, metrics }: StorageOptions,
  sessions: WorkerSessionStore,
): Promise<Housekeeping> {
  return Housekeeping.open({
    disk,
    forwarding,
    budgetBytes: config.budget,
    freeBytes: () => freeBytes(dataDir),
    isClockSet,
    otherBytes: () => sessions.bytes + stateBytes(),
    clock: nodeClock,
    logger: logger.child({ part: 'housekeeping' }),
    metrics,
  });
}

type OwnLogOptions = Pick<LogOptions, 'sealer' | 'readClock' | 'retention'>;

function openGatewayLog(
  { config, dataDir, disk, logger, metrics }: StorageOptions,
  own: OwnLogOptions,
  signal: AbortSignal,
): Promise<Log> {
  return openLog(
    {
      ...own,
      disk,
      dataDir,
      clock: nodeClock,
      random: nodeRandom,
      logger: logger.child({ part: 'log' }),
      metrics,
      version,
      commitIntervalMs: config.commitIntervalMs,
    },
    signal,
  );
}
