import type { StampedRecord, StoredRecord } from '../../../src/core/record.ts';
import type { Log } from '../../../src/log/log.ts';
import type { TopicInfo } from '../../../src/log/types.ts';
import { type Files, readFiles } from '../../support/disk-files.ts';
import { openLog, textRecord } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { settled } from '../../support/small-segments.ts';
import { VirtualClock } from '../../support/virtual-time.ts';

/* What the fixture of this folder holds: everything that a data folder of format 1 can. */

/** Small journal files, so that there are many of them and most records are sealed. */
export const journalFileBytes = 24 * 1024;
const wallMs = 1_700_000_000_000;
const recordsPerLife = 40;

export const topics: readonly TopicInfo[] = [
  {
    name: 'readings',
    partitions: 2,
    settings: { retention: { bytes: 1_000_000, ageMs: 86_400_000 }, segmentBytes: 2000, priority: 7 },
  },
  { name: 'line-7', partitions: 1, settings: { compression: 'gzip', retention: 'until-forwarded' } },
  { name: 'plain', partitions: 1, settings: { compression: 'none', dropUnforwarded: true } },
  { name: 'again', partitions: 1, settings: {} },
];

/** Records of `again` that were there before it was deleted and created again: their offsets are used. */
export const deletedRecords = 3;
export const memos: ReadonlyMap<string, Uint8Array> = new Map([['identity', Buffer.from('{"id":"gw1"}')]]);
export const openId = { client: 'wetter-süd', packetId: 0x1234 };
export const livesOfReadings = [0, recordsPerLife / 2];

/** The records of `readings` (both partitions), `line-7` and `plain`, in the order in which they were appended. */
const records: readonly StampedRecord[] = Array.from({ length: 2 * recordsPerLife }, (_, index) => [
  textRecord('readings', `${index}`, {
    partition: index % 2,
    key: Buffer.from(`sensor-${index % 3}`),
    timestampMs: wallMs + index * 1000,
    headers: index % 5 === 0 ? [{ name: 'mqtt.topic', value: Buffer.from([0, 255, index]) }] : [],
  }),
  textRecord('line-7', '', { key: null, value: index % 2 === 0 ? null : Buffer.from(`{"t":${index}}`) }),
  textRecord('plain', 'p'.repeat(index), { timestampMs: wallMs - index }),
]).flat();

/** What a partition must serve. */
export function expectedRecords(topic: string, partition: number): StoredRecord[] {
  if (topic === 'again') return [{ ...stored(textRecord('again', 'new')), offset: deletedRecords }];
  return records
    .filter((record) => record.topic === topic && (record.partition ?? 0) === partition)
    .map((record, offset) => ({ ...stored(record), offset }));
}

const stored = ({ key, value, headers, timestampMs }: StampedRecord): Omit<StoredRecord, 'offset'> => ({
  key,
  value,
  headers: headers.map((header) => ({ ...header })),
  timestampMs,
});

/** A folder with these contents, as today's code writes it. */
export async function writtenToday(): Promise<Files> {
  const disk = new SimDisk(new SimRandom(1));
  const first = await openFolder(disk);
  for (const { name, partitions, settings } of topics) await first.createTopic(name, partitions, settings);
  for (let count = 0; count < deletedRecords; count += 1) await first.append([textRecord('again', 'old')]);
  await first.deleteTopic('again');
  await appendHalf(first, 0);
  await first.saveMemos(new Map([...memos, ['forgotten', Buffer.from('x')]]));
  await settled(disk);
  await first.close();
  const second = await openFolder(disk);
  await appendHalf(second, 1);
  await settled(disk);
  await second.createTopic('again', 1);
  await second.append([textRecord('again', 'new')]);
  await second.saveMemos(new Map([['forgotten', new Uint8Array()]]));
  await second.createTopic('gone', 1);
  await second.append([textRecord('gone', 'x')]);
  await second.deleteTopic('gone');
  await second.createTopic('qos2', 1);
  await second.appendOnce(textRecord('qos2', 'x'), openId);
  await second.close();
  return await readFiles(disk.session(), 'journal', 'topics');
}

const openFolder = (disk: SimDisk): Promise<Log> =>
  openLog(disk.session(), { journalFileBytes, clock: new VirtualClock(), version: '0.1.0' });

async function appendHalf(log: Log, half: number): Promise<void> {
  const count = records.length / 2;
  const own = records.slice(half * count, (half + 1) * count);
  for (let from = 0; from < own.length; from += 3) await log.append(own.slice(from, from + 3));
}
