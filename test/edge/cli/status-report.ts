import type { StatusReport } from '../../../src/edge/status.ts';

/** Of a gateway that is well. */
export const statusReport: StatusReport = {
  gateway: 'gw1',
  version: '0.1.0',
  logId: 'ab'.repeat(16),
  state: 'ready',
  reasons: [],
  addresses: { mqtt: '127.0.0.1:1883', mqtts: null, ws: null, wss: null, admin: '127.0.0.1:8080' },
  admin: { tls: null, state: 'claimed', problem: null },
  tls: null,
  dataDir: '/site/data',
  uptimeSeconds: 3720,
  log: {
    available: true,
    commits: 42,
    journalFiles: 2,
    usedBytes: 100 * 2 ** 20,
    fill: { state: 'steady', secondsLeft: null },
    budgetBytes: 4 * 2 ** 30,
    lastCommitMs: null,
  },
  users: { count: 3, anonymous: 'nobody', problem: null },
  mqtt: {
    sessions: 2,
    queued: 17,
    retained: 5,
    unrouted: [{ mqttTopic: 'odd/topic', problem: 'no-route', messages: 3 }],
    sources: [],
  },
  clock: { isSet: true, epoch: 3 },
  card: {
    payloadBytes: 1_500_000_000,
    deviceBytes: { journal: 1_600_000_000, segments: 160_000_000, other: 4096, metadata: 20_480 },
    deviceBytesPerPayloadByte: 1.17335,
    endurance: { bytes: 16e12, isEstimate: true },
    usedShare: 0.00011,
    bytesPerDay: null,
    yearsLeft: null,
    device: null,
  },
  serial: [],
  modbus: [],
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
  forwarder: null,
  anomaly: null,
};
