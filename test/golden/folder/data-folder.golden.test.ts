import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { type Files, writeFiles } from '../../support/disk-files.ts';
import { openLog, readRecords } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import {
  deletedRecords,
  expectedRecords,
  journalFileBytes,
  livesOfReadings,
  memos,
  openId,
  topics,
  writtenToday,
} from './contents.ts';
import { filesFromHex } from './hex.ts';

/*
 * A whole data folder as bytes: journal files of two lives, spares, segments in every compression, settings, a topic
 * that was deleted and one that was created again. The fixture was written by the first release with segments, and
 * must stay readable. What it holds is in contents.ts; what today's code writes of the same contents may have other bytes
 * (zstd's output changes with Node) but must be read the same.
 */
const fixture = (): Files => filesFromHex(readFileSync(new URL('./format-1.hex', import.meta.url), 'utf8'));

test('the fixture is a folder with several journal files and segments', () => {
  const paths = [...fixture().keys()];
  expect(paths.filter((path) => path.endsWith('.journal')).length).toBeGreaterThan(2);
  for (const folder of ['readings-0', 'readings-1', 'line-7-0', 'plain-0'])
    expect(paths.filter((path) => path.startsWith(`topics/${folder}/`)).length).toBeGreaterThan(0);
});

test.each([
  ['of format 1', async () => fixture()],
  ['as written today', writtenToday],
])('a data folder %s is opened and read', async (_, files) => {
  const disk = new SimDisk(new SimRandom(2));
  const session = disk.session();
  await writeFiles(session, await files());
  const reports: string[] = [];
  const report = (_fields: object, message: string): void => void reports.push(message);
  const logger = { ...silentLogger, warn: report, error: report };
  const log = await openLog(session, { journalFileBytes, logger });
  const qos2 = { name: 'qos2', partitions: 1, settings: {} };
  const sorted = (list: readonly { readonly name: string }[]): unknown[] =>
    [...list].sort((one, other) => one.name.localeCompare(other.name));
  expect(sorted(log.topics())).toEqual(sorted([...topics, qos2]));
  for (const { name, partitions } of topics)
    for (let partition = 0; partition < partitions; partition += 1) {
      const logStartOffset = name === 'again' ? deletedRecords : 0;
      const found = await readRecords(log, name, partition, logStartOffset);
      expect(found).toEqual(expectedRecords(name, partition));
      const highWatermark = logStartOffset + found.length;
      expect(log.partitions()).toContainEqual({ topic: name, partition, logStartOffset, highWatermark });
    }
  const [batch] = await log.read('readings', 0, 0, 1);
  expect(batch?.sealed).toBe(true);
  expect(log.lives('readings', 0).map(({ firstOffset }) => firstOffset)).toEqual(livesOfReadings);
  expect(new Map([...log.memos()].map(([key, value]) => [key, Buffer.from(value)]))).toEqual(memos);
  expect([...log.openQos2Ids(openId.client)]).toEqual([openId.packetId]);
  await log.createTopic('gone', 1);
  expect(log.partitions()).toContainEqual({
    topic: 'gone',
    partition: 0,
    logStartOffset: 1,
    highWatermark: 1,
  });
  expect(reports).toEqual([]);
  await log.close();
});
