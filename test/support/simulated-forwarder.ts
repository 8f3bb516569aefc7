import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder, type ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import { AtLeastOnceTarget } from '../../src/forwarder/kafka/at-least-once-target.ts';
import type { LaneName } from '../../src/log/types.ts';
import { type Call, type Fault, type SimCluster, SimTarget } from './sim-target.ts';
import { seededRandom, VirtualClock } from './virtual-time.ts';

/** A forwarder of this log into a simulated cluster, in virtual time; not started yet. `target` is that of bulk. */
export function simulatedForwarder(
  options: Pick<ForwarderOptions, 'log'> & Partial<ForwarderOptions>,
  cluster: SimCluster,
  faultOf: (call: Call, lane: LaneName) => Fault | null = () => null,
): { readonly forwarder: Forwarder; readonly target: SimTarget; readonly alarmTarget: SimTarget } {
  const targetOf = (lane: LaneName): SimTarget =>
    new SimTarget({ cluster, pause: setImmediate, faultOf: (call) => faultOf(call, lane) });
  const targets = { alarm: targetOf('alarm'), bulk: targetOf('bulk') };
  const clock = options.clock ?? new VirtualClock();
  const forwarder = new Forwarder({
    brokers: [],
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 0,
    onCheckpointLost: 'resume',
    board: null,
    targetOf: (lane) =>
      options.delivery === 'at-least-once' ? new AtLeastOnceTarget(targets[lane], clock) : targets[lane],
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
    ...options,
  });
  return { forwarder, target: targets.bulk, alarmTarget: targets.alarm };
}
