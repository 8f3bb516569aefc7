import { limits } from '../../core/limits.ts';
import type { TopicSettings } from '../types.ts';

/**
 * What the log does where a topic's settings leave something out. No retention: records stay until the disk budget needs their
 * room. No central partitions: the mirror preserves those of the log.
 */
export const topicDefaults = {
  dropUnforwarded: false,
  segmentBytes: limits.segmentBytesDefault,
  compression: 'zstd',
  priority: limits.topicPriorityDefault,
  lane: 'bulk',
} as const satisfies Required<Omit<TopicSettings, 'retention' | 'centralPartitions'>>;
