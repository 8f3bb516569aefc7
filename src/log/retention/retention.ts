import { gapsTopicName } from '../../core/topic-name.ts';
import type { ClockEpochs } from '../clock/clock-epochs.ts';
import { newestMs } from '../clock/segment-time.ts';
import type { LogState, Partition } from '../state/state.ts';
import { topicDefaults } from '../state/topic-defaults.ts';
import type { Forwarding, TopicSettings } from '../types.ts';

/** Records of a partition that are to go: all below `logStartOffset`. */
export interface Removal {
  readonly partition: Partition;
  readonly logStartOffset: number;
  readonly reason: 'retention' | 'disk-budget';
}

/** Where a partition's records may go. */
interface Bounds {
  /** Below, the cluster has them. */
  readonly forwarded: number;
  /** Below, none is in a transaction that may still arrive. */
  readonly decided: number;
}

/**
 * What the retention of the topics removes: whole segments, oldest first, or for a topic kept only until it is
 * forwarded whatever the cluster has. What the mirror has not sent yet waits for it, unless the topic says otherwise;
 * what a topic keeps that nothing mirrors waits for nobody. `nowMs` is the wall clock, undefined while it is not set:
 * then nothing is too old.
 */
export function planRetention(
  state: LogState,
  forwarding: Forwarding,
  nowMs: number | undefined,
): readonly Removal[] {
  return state.partitions().flatMap((partition): readonly Removal[] => {
    const settings = state.topic(partition.topic)?.settings ?? {};
    const logStartOffset = retainedFrom(partition, settings, state.clockEpochs, forwarding, nowMs);
    if (logStartOffset <= partition.logStartOffset) return [];
    return [{ partition, logStartOffset, reason: 'retention' }];
  });
}

function retainedFrom(
  partition: Partition,
  { retention, dropUnforwarded }: TopicSettings,
  epochs: ClockEpochs,
  forwarding: Forwarding,
  nowMs: number | undefined,
): number {
  const { forwarded, decided } = boundsOf(partition, forwarding);
  if (retention === undefined) return 0;
  if (retention === 'until-forwarded') return forwarded;
  const waits = forwarding.isMirrored(partition.topic) && dropUnforwarded !== true;
  const bound = waits ? forwarded : decided;
  const { bytes = Number.POSITIVE_INFINITY, ageMs = Number.POSITIVE_INFINITY } = retention;
  const oldMs = nowMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - ageMs;
  let leftBytes = partition.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let logStartOffset = 0;
  for (const segment of partition.segments) {
    const { endOffset, sizeBytes } = segment;
    leftBytes -= sizeBytes;
    // As in Kafka: what stays is at least what the topic may keep.
    const isTooMuch = leftBytes >= bytes;
    if (endOffset > bound || !(isTooMuch || newestMs(epochs, partition, segment) < oldMs)) break;
    logStartOffset = endOffset;
  }
  return logStartOffset;
}

/**
 * What goes so that `bytes` become free (design P4): segments that the cluster has, of the topics with the lowest
 * priority first and then the oldest; then others in the same order. What an undecided transaction may carry stays, and
 * so does the part of the loss ledger that has not arrived. Less is freed if there is no more.
 */
export function planBudget(state: LogState, forwarding: Forwarding, bytes: number): readonly Removal[] {
  const candidates = state.partitions().map((partition) => ({
    partition,
    priority: state.topic(partition.topic)?.settings.priority ?? topicDefaults.priority,
    ...boundsOf(partition, forwarding),
    left: partition.segments.map((segment) => ({
      ...segment,
      newestMs: newestMs(state.clockEpochs, partition, segment),
    })),
  }));
  const removed = new Map<Partition, number>();
  let freed = 0;
  for (const rank of ['forwarded', 'decided'] as const) {
    while (freed < bytes) {
      const next = candidates
        .filter(({ left: [oldest], [rank]: bound }) => oldest !== undefined && oldest.endOffset <= bound)
        .sort(
          (one, other) =>
            one.priority - other.priority || (one.left[0]?.newestMs ?? 0) - (other.left[0]?.newestMs ?? 0),
        )[0];
      const segment = next?.left.shift();
      if (next === undefined || segment === undefined) break;
      removed.set(next.partition, segment.endOffset);
      freed += segment.sizeBytes;
    }
  }
  return [...removed].map(([partition, logStartOffset]) => ({
    partition,
    logStartOffset,
    reason: 'disk-budget',
  }));
}

/** The offsets that are lost with a removal: those that the cluster does not have. None if the first is not below the end. */
export function lostWith(
  { partition, logStartOffset }: Removal,
  forwarding: Forwarding,
): { readonly firstOffset: number; readonly endOffset: number } {
  const { forwarded } = boundsOf(partition, forwarding);
  return { firstOffset: Math.max(partition.logStartOffset, forwarded), endOffset: logStartOffset };
}

function boundsOf({ topic, id }: Partition, forwarding: Forwarding): Bounds {
  if (!forwarding.isMirrored(topic))
    return { forwarded: 0, decided: topic === gapsTopicName ? 0 : Number.POSITIVE_INFINITY };
  const forwarded = forwarding.confirmedOffset(topic, id.partition);
  const isUndecided = forwarding.undecidedOffset(topic, id.partition) > forwarded;
  return {
    forwarded,
    decided: isUndecided || topic === gapsTopicName ? forwarded : Number.POSITIVE_INFINITY,
  };
}
