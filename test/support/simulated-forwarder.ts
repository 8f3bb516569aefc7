import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { AtLeastOnceTarget } from '../../src/forwarder/at-least-once-target.ts';
import { Forwarder, type ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import { TopicMapping } from '../../src/forwarder/topic-mapping.ts';
import { type Call, type Fault, type SimCluster, SimTarget } from './sim-target.ts';
import { seededRandom, VirtualClock } from './virtual-time.ts';

/** A forwarder of this log into a simulated cluster, in virtual time; not started yet. */
export function simulatedForwarder(
  options: Pick<ForwarderOptions, 'log'> & Partial<ForwarderOptions>,
  cluster: SimCluster,
  faultOf?: (call: Call) => Fault | null,
): { readonly forwarder: Forwarder; readonly target: SimTarget } {
  const target = new SimTarget({ cluster, pause: setImmediate, ...(faultOf && { faultOf }) });
  const clock = options.clock ?? new VirtualClock();
  const forwarder = new Forwarder({
    brokers: [],
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 0,
    onCheckpointLost: 'resume',
    board: null,
    target: options.delivery === 'at-least-once' ? new AtLeastOnceTarget(target, clock) : target,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
    ...options,
  });
  return { forwarder, target };
}
