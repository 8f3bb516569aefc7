import type { SessionRequest, SessionTopic } from '../../src/forwarder/cluster/target.ts';

/** A session of the lane bulk of gateway `gw1`, which has no topics yet. */
export const emptySession: SessionRequest = {
  transactionalId: 'headwater-1-bulk',
  othersToEnd: [],
  topics: [],
  creation: { allowed: true },
  checkpointTopic: 'gw1.headwater-checkpoint',
  checkpointKeyPrefixes: ['1/'],
};

/** The topic `readings` in a session. */
export const readingsTopic: SessionTopic = {
  name: 'gw1.readings',
  partitions: 1,
  source: 'readings',
  sourcePartitions: 1,
  isIdentified: false,
  isByKey: false,
  paused: new Set(),
};
