import type { Logger } from '../core/logger.ts';
import type { TopicInfo } from '../log/types.ts';

/** What {@link ensureTopics} asks of the log. */
export interface TopicStore {
  topics(): readonly TopicInfo[];
  createTopic(name: string, partitions: number): Promise<void>;
  growTopic(name: string, partitions: number): Promise<void>;
}

/** Where every message lands that no route sends elsewhere. It always exists. */
const DEFAULT_TOPIC = 'readings';

/**
 * Makes the configured topics exist with at least so many partitions, and `readings` and those in `needed` with at
 * least one. A topic never shrinks and none is deleted: a smaller number is a warning, because a configuration must
 * not destroy data.
 * @throws OperatingError as the log's `createTopic` and `growTopic`
 */
export async function ensureTopics(
  log: TopicStore,
  configured: Readonly<Record<string, { readonly partitions: number }>>,
  needed: readonly string[],
  logger: Logger,
): Promise<void> {
  const existing = new Map(log.topics().map(({ name, partitions }) => [name, partitions]));
  for (const name of [DEFAULT_TOPIC, ...needed]) {
    if (!existing.has(name) && !(name in configured)) await log.createTopic(name, 1);
  }
  for (const [name, { partitions }] of Object.entries(configured)) {
    const present = existing.get(name);
    if (present === undefined) {
      await log.createTopic(name, partitions);
    } else if (present < partitions) {
      await log.growTopic(name, partitions);
    } else if (present > partitions) {
      logger.warn(
        { topic: name, partitions: present, configured: partitions },
        `topic ${name} keeps its ${present} partitions: partitions only grow. Set topics.${name}.partitions to ` +
          `${present} to end this warning.`,
      );
    }
  }
}
