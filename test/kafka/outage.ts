import type { Cluster } from './cluster.ts';

const NODES = [1, 2, 3] as const;

/**
 * All three brokers go, while clients write. Not a lone broker: one that goes in mid-flight can lose the end of a
 * transaction (see the forwarder's DESIGN.md). Of three, the last one alone takes no transaction any more, because two
 * replicas must have each record; it is killed, because a clean stop would wait for the others.
 */
export async function stopAll(cluster: Cluster): Promise<void> {
  await cluster.stopBroker(NODES[0]);
  await cluster.stopBroker(NODES[1]);
  await cluster.kill(NODES[2]);
}

/** Resolves when all three serve again and know each other. */
export async function restartAll(cluster: Cluster): Promise<void> {
  await Promise.all(NODES.map((node) => cluster.restart(node)));
}
