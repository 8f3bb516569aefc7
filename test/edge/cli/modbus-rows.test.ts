import { expect, test } from 'vitest';
import { modbusRows } from '../../../src/edge/cli/modbus-rows.ts';

test('each bus has a row, and each of its units, with what fails and why', () => {
  const nowMs = 1_700_000_000_000;
  const since = { times: 3, sinceMs: nowMs - 120_000 };
  const words = 'exception 2, illegal data address: it has no such register';
  const rows = modbusRows(
    [
      {
        name: 'cabinet',
        place: 'usb 0403:6001',
        device: '/dev/ttyUSB0',
        state: 'open',
        requests: 40,
        dropped: 2,
        lastError: { message: 'it was unplugged', atMs: nowMs - 60_000 },
        units: [
          {
            name: 'meter',
            unit: 1,
            state: 'answering',
            polls: 12,
            records: 12,
            lastRecordMs: nowMs - 4_000,
            failing: ['flow', 'pump'].map((register) => ({
              register,
              reason: 'exception-2',
              words,
              ...since,
            })),
          },
          { name: 'air', unit: 2, state: 'silent', polls: 3, records: 0, lastRecordMs: null, failing: [] },
          { name: 'new', unit: 3, state: 'new', polls: 0, records: 0, lastRecordMs: null, failing: [] },
        ],
      },
    ],
    nowMs,
  );
  expect(rows).toEqual([
    'cabinet (usb 0403:6001, /dev/ttyUSB0) is open; 40 requests; 2 dropped; last error 1 min ago: it was unplugged',
    `  meter (unit 1) answers; 12 records of 12 polls, the last one 4 s ago; no flow, pump for 2 min: ${words}`,
    '  air (unit 2) is SILENT; 0 records of 3 polls',
    '  new (unit 3) was not asked yet; 0 records of 0 polls',
  ]);
});
