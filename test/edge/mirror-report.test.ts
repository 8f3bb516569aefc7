import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { reportMirror } from '../../src/edge/mirror-report.ts';
import { drainingForwarder } from '../support/forwarder-status.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('the service log hears once an hour how the mirror does, and that it is stale', async () => {
  const lines: object[] = [];
  const logger = {
    ...silentLogger,
    info: (fields: object, message: string) => lines.push({ level: 'info', message, ...fields }),
    warn: (fields: object, message: string) => lines.push({ level: 'warn', message, ...fields }),
  };
  const clock = new ManualClock();
  const stopping = new AbortController();
  let status = drainingForwarder();
  const reporting = reportMirror({ status: () => status, clock, logger }, stopping.signal);
  const pass = async (ms: number): Promise<void> => {
    clock.pass(ms);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  await pass(limits.mirrorReportIntervalMs - 1);
  expect(lines).toEqual([]);
  await pass(1);
  status = { ...status, isStale: true, drain: { state: 'unknown', secondsLeft: null } };
  await pass(limits.mirrorReportIntervalMs);
  const rest = { reason: 'budget', until: 'midnight', secondsLeft: 60 } as const;
  status = { ...drainingForwarder(), link: { bytesPerDay: 20e6, spentBytes: 19e6, hours: null, rest } };
  await pass(limits.mirrorReportIntervalMs);
  expect(lines).toMatchObject([
    {
      level: 'info',
      message: 'the mirror: sending, 120007 records to go',
      lagRecords: 120_007,
      lagBytes: 14_200_000,
      lagSeconds: 7380,
      recordsPerSecond: 512.34,
      drain: 240,
      lastDayBytes: 210_000_000,
      lastDayLinkBytes: 225_000_000,
      retries: [{ count: 12 }, { count: 3 }, { count: 1 }],
    },
    { level: 'warn', message: expect.stringMatching(/^the mirror is stale: /), drain: 'unknown' },
    { level: 'info', linkSpentBytes: 19e6, bulkRests: 'budget' },
  ]);
  stopping.abort();
  await reporting;
  expect(lines).toHaveLength(3);
});
