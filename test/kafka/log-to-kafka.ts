import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import { Log } from '../../src/log/log.ts';
import type { MirroredLog } from '../../src/log/types.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { until } from './until.ts';

const DRAIN_MS_MAX = 180_000;
const real = { clock: nodeClock, random: nodeRandom, logger: silentLogger, metrics: noMetrics };

/** A log on the real disk; with small files nearly all of a small backlog is sealed. */
export const openLog = (folder: string, journalFileBytes: number): Promise<Log> =>
  Log.open({ ...real, disk: new NodeDisk(folder), version: 'test', commitIntervalMs: 0, journalFileBytes });

/** A mirror of all topics of gateway `gw1` to these brokers, started. */
export function startMirror(
  log: MirroredLog,
  brokers: readonly string[],
  transactionBytesMax: number,
): Forwarder {
  const mapping = new TopicMapping({ gateway: 'gw1', topics: ['*'] });
  const rest = { lingerMs: 5, onCheckpointLost: 'resume', board: null } as const;
  const started = new Forwarder({ ...real, ...rest, log, brokers, mapping, transactionBytesMax });
  started.start();
  return started;
}

/** Resolves when the cluster has acknowledged all that the log has. */
export async function drained(forwarder: Forwarder): Promise<void> {
  await until('everything is acknowledged', DRAIN_MS_MAX, async () => {
    const { lagRecords, state, message } = forwarder.status();
    if (state === 'stopped') throw new Error(message);
    return await Promise.resolve((lagRecords === 0 && state === 'idle') || undefined);
  }).catch((cause: unknown) => {
    throw new Error(`the mirror is stuck: ${JSON.stringify(forwarder.status())}`, { cause });
  });
}
