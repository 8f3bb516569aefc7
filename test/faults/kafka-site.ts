import type { Properties } from '../kafka/broker.ts';
import { type Cluster, startCluster } from '../kafka/cluster.ts';
import { kafkaTools } from '../kafka/tools.ts';
import { until } from '../kafka/until.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/**
 * Slower than the harness: a busy machine starves three brokers, the gateway and the sensors for seconds, and a controller
 * that is deposed again and again confirms nothing. A broker that is killed is missed after some seconds.
 */
const patience: Properties = {
  'broker.session.timeout.ms': 9000,
  'controller.quorum.election.timeout.ms': 2000,
  'controller.quorum.fetch.timeout.ms': 4000,
  'replica.lag.time.max.ms': 10_000,
};

/** A busy machine gives a broker that comes back little time to catch up. */
const IN_SYNC_MS_MAX = 180_000;

/** Three brokers of a real Kafka, each behind a link of its own. Disposing of it ends them. */
export interface KafkaSite extends AsyncDisposable {
  readonly cluster: Cluster;
  /** In the order of the node ids; gateways know no other addresses. */
  readonly links: readonly TcpProxy[];
  /**
   * Resolves when all replicas of these topics are in sync. A broker may go only then: with fewer than two that have a
   * record, the cluster itself may lose it.
   */
  inSync(topics: readonly string[]): Promise<void>;
}

export async function startKafkaSite(transactionVersion: 0 | 2): Promise<KafkaSite> {
  const links: TcpProxy[] = [];
  const cluster = await startCluster({
    brokers: 3,
    transactionVersion,
    properties: patience,
    link: async (target) => {
      const proxy = await startProxy({ target });
      links.push(proxy);
      return proxy.address;
    },
  });
  const tools = kafkaTools(cluster.bootstrap);
  const isInSync = async (topic: string): Promise<boolean> => {
    const partitions = await tools.describeTopic(topic).catch(() => []);
    return partitions.length > 0 && partitions.every((one) => one.inSyncReplicas.length === 3);
  };
  return {
    cluster,
    links,
    inSync: async (topics) => {
      for (const topic of topics) {
        const attempt = async () => (await isInSync(topic)) || undefined;
        await until(`all replicas of ${topic} are in sync`, IN_SYNC_MS_MAX, attempt);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const link of links) link.close();
      await cluster.close();
    },
  };
}
