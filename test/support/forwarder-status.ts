import type { ForwarderStatus } from '../../src/forwarder/progress/status.ts';

/** A mirror that is far behind, and drains. */
export const drainingForwarder = (): ForwarderStatus => ({
  delivery: 'exactly-once',
  link: null,
  state: 'sending',
  message: 'sending, 120007 records to go',
  lagRecords: 120_007,
  lagBytes: 14_200_000,
  lagSeconds: 7380,
  topics: [
    { topic: 'readings', lagRecords: 120_000, lagBytes: 14_199_000, lagSeconds: 7380 },
    { topic: 'alarms', lagRecords: 7, lagBytes: 1000, lagSeconds: 12 },
    { topic: 'gaps', lagRecords: 0, lagBytes: 0, lagSeconds: 0 },
  ],
  goodput: {
    windowSeconds: 300,
    recordsPerSecond: 512.34,
    bytesPerSecond: 15_400,
    arrivingRecordsPerSecond: 12,
  },
  drain: { state: 'draining', secondsLeft: 240 },
  lastDay: { seconds: 86_000, bytesAcknowledged: 210_000_000, linkBytesWritten: 225_000_000 },
  recordsAcknowledged: 150_000,
  bytesAcknowledged: 210_000_000,
  linkBytesWritten: 225_000_000,
  lastAcknowledgedMs: 1_700_000_000_000,
  secondsSinceAcknowledged: 3,
  isStale: false,
  retries: [
    { kind: 'unreachable', cause: 'refused', count: 12 },
    { kind: 'busy', cause: 'CONCURRENT_TRANSACTIONS', count: 3 },
    { kind: 'refused', cause: '', count: 1 },
  ],
  lanes: [{ lane: 'bulk', state: 'sending', message: 'sending, 120007 records to go' }],
  warnings: ['the board is another one'],
  lastError: { message: 'the link was cut', atMs: 1_700_000_000_000 },
});
