import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listSeries, parseTimestamp, readRows } from '../../bench/eval/csv-series.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function rowsOf(text: string) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'a.csv');
  await writeFile(path, text);
  return await Array.fromAsync(readRows(path));
}

describe('a timestamp', () => {
  test.each([
    ['2014-04-01 00:05:00', '2014-04-01T00:05:00Z'],
    ['2014-04-01 00:05', '2014-04-01T00:05:00Z'],
    ['2014-04-01T00:05:00Z', '2014-04-01T00:05:00Z'],
    ['2015-02-26 21:42:53.250000', '2015-02-26T21:42:53.250Z'],
    ['2014-04-01 02:05:00+02:00', '2014-04-01T00:05:00Z'],
  ])('is read as UTC unless it says otherwise: %s', (text, time) => {
    expect(parseTimestamp(text)).toBe(Date.parse(time));
  });

  test.each(['', 'today', '1396310700', '2014-13-01 00:05:00', '01.04.2014 00:05'])('is not "%s"', (text) => {
    expect(parseTimestamp(text)).toBeNaN();
  });
});

describe('the rows of a series', () => {
  test('keep their timestamps as they are written', async () => {
    const rows = await rowsOf('timestamp,value\n2014-04-01 00:00:00,20.5\n2014-04-01 00:05:00,-1e3\n');
    expect(rows).toEqual([
      { timestamp: '2014-04-01 00:00:00', timeMs: Date.parse('2014-04-01T00:00:00Z'), value: 20.5 },
      { timestamp: '2014-04-01 00:05:00', timeMs: Date.parse('2014-04-01T00:05:00Z'), value: -1000 },
    ]);
  });

  test('are read with the line ends and the byte order mark of other systems, and with empty lines', async () => {
    const rows = await rowsOf('\uFEFFtimestamp,value\r\n2014-04-01 00:00:00,20\r\n\r\n');
    expect(rows.map(({ value }) => value)).toEqual([20]);
  });

  test.each([
    ['', /a\.csv:1: the file is empty/],
    ['time,temperature\n', /a\.csv:1: the header must be timestamp,value, it is "time,temperature"/],
    ['timestamp,value\n2014-04-01 00:00:00,20\nyesterday,21\n', /a\.csv:3: .*no timestamp.*"yesterday"/],
    ['timestamp,value\n2014-04-01 00:00:00,\n', /a\.csv:2: .*no number.*""/],
    ['timestamp,value\n2014-04-01 00:00:00,high\n', /a\.csv:2: .*no number.*"high"/],
    ['timestamp,value\n2014-04-01 00:00:00,1,2\n', /a\.csv:2: .*more than two columns/],
  ])('that are none are refused with file and line: %j', async (text, message) => {
    await expect(rowsOf(text)).rejects.toThrow(message);
  });
});

test('the series of a folder are its CSV files, also those in folders below', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'b/c'), { recursive: true });
  for (const name of ['b/c/2.csv', 'a.csv', 'b/1.csv', 'b/notes.txt'])
    await writeFile(join(folder.path, name), '');
  expect(await listSeries(folder.path)).toEqual(['a.csv', 'b/1.csv', 'b/c/2.csv']);
});
