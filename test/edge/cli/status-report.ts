import type { StatusReport } from '../../../src/edge/status.ts';
import { statusExample } from '../../support/status-example.ts';

/** Of a gateway that is well and has something to tell. */
export const statusReport: StatusReport = {
  ...statusExample,
  log: { ...statusExample.log, usedBytes: 100 * 2 ** 20, budgetBytes: 4 * 2 ** 30 },
  users: { count: 3, anonymous: 'nobody', problem: null },
  mqtt: {
    sessions: 2,
    queued: 17,
    retained: 5,
    unrouted: [{ mqttTopic: 'odd/topic', problem: 'no-route', messages: 3 }],
    sources: [],
  },
  card: {
    ...statusExample.card,
    payloadBytes: 1_500_000_000,
    deviceBytes: { journal: 1_600_000_000, segments: 160_000_000, other: 4096, metadata: 20_480 },
    deviceBytesPerPayloadByte: 1.17335,
    usedShare: 0.00011,
  },
  topics: [
    { name: 'readings', partitions: [{ partition: 0, logStartOffset: 10, highWatermark: 30 }] },
    {
      name: 'air',
      partitions: [
        { partition: 0, logStartOffset: 0, highWatermark: 1 },
        { partition: 1, logStartOffset: 0, highWatermark: 2 },
      ],
    },
  ],
};
