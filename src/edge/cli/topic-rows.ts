import type { TopicStatus } from '../status.ts';
import { counted } from './amounts.ts';

/** One line for each topic, in columns. */
export function topicRows(topics: readonly TopicStatus[]): readonly string[] {
  if (topics.length === 0) return ['none yet'];
  const width = Math.max(...topics.map(({ name }) => name.length));
  return topics.map((topic) => {
    const { name, partitions } = topic;
    const ends = partitions.map(({ highWatermark }) => highWatermark).join(' ');
    const many = partitions.length === 1 ? '1 partition ' : `${partitions.length} partitions`;
    return `${name.padEnd(width)}  ${many}  ${counted(storedRecords(topic), 'record')}  (next offset ${ends})`;
  });
}

/** How many records of it are here. */
export const storedRecords = ({ partitions }: TopicStatus): number =>
  partitions.reduce((sum, { highWatermark, logStartOffset }) => sum + highWatermark - logStartOffset, 0);
