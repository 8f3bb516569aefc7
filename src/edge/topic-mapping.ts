import { TopicMapping } from '../forwarder/cluster/topic-mapping.ts';
import type { Config } from './config/schema.ts';

/** Which topics are mirrored under which names, by this configuration; none without a cluster. */
export const topicMapping = (
  { gateway, forwarder }: Pick<Config, 'gateway' | 'forwarder'>,
  hasCluster = forwarder.brokers.length > 0,
): TopicMapping =>
  new TopicMapping({
    gateway: gateway.name,
    site: gateway.site,
    template: forwarder.topicName,
    topics: hasCluster ? forwarder.topics : [],
  });
