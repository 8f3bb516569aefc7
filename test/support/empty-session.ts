import type { SessionRequest } from '../../src/forwarder/cluster/target.ts';

/** A session of the lane bulk of gateway `gw1`, which has no topics yet. */
export const emptySession: SessionRequest = {
  transactionalId: 'headwater-1-bulk',
  othersToEnd: [],
  topics: [],
  creation: { allowed: true },
  checkpointTopic: 'gw1.headwater-checkpoint',
  checkpointKeyPrefixes: ['1/'],
};
