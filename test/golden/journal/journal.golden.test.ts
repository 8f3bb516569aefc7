import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Disk } from '../../../src/core/disk.ts';
import type { Random } from '../../../src/core/random.ts';
import { openLog, readRecords, readTexts, textRecord } from '../../support/log-on-disk.ts';
import { SimClock } from '../../support/sim-clock.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';

/*
 * The journal's format as bytes. The fixture was written by the first release's format 1 and must stay readable. If
 * today's code writes other bytes, that is a new format: keep the old fixture and add one. (zstd's output may change
 * with Node: the commits here are too small to be compressed.)
 */
const fixture = new URL('./format-1.hex', import.meta.url);
const qos2Fixture = new URL('./format-1-qos2.hex', import.meta.url);
const path = 'journal/00000000000000000002.journal';
const blocks = 6;

/** Bytes that count up, so that every random field can be recognised in the fixture. */
function countingRandom(): Random {
  let next = 0;
  return { next: () => 0.5, bytes: (count) => Uint8Array.from({ length: count }, () => (next++ % 255) + 1) };
}

/** Two lives: the second one's file begins with the copied last commit of the first. */
async function writtenToday(): Promise<Buffer> {
  const session = new SimDisk(new SimRandom(1)).session();
  const fixed = { random: countingRandom(), clock: new SimClock(), version: '0.1.0' };
  const first = await openLog(session, fixed);
  await first.createTopic('readings', 2);
  const headers = [{ name: 'mqtt.topic', value: Buffer.from('plant/1') }];
  await first.append([
    textRecord('readings', '21.5', { key: Buffer.from('sensor-1'), partition: 0, headers }),
  ]);
  await first.close();
  const second = await openLog(session, fixed);
  await second.append([
    textRecord('readings', '21.6', { key: Buffer.from('sensor-1'), partition: 0 }),
    textRecord('readings', '7', { partition: 1, value: null, timestampMs: 1_699_999_999_000 }),
  ]);
  await second.growTopic('alarms', 1);
  await second.close();
  return await readJournal(session);
}

/** The same with QoS 2 ids and releases: in the snapshot, in the copied commit, and in the commits after it. */
async function qos2WrittenToday(): Promise<Buffer> {
  const session = new SimDisk(new SimRandom(1)).session();
  const fixed = { random: countingRandom(), clock: new SimClock(), version: '0.2.0' };
  const first = await openLog(session, fixed);
  await first.createTopic('readings', 1);
  await first.appendOnce(textRecord('readings', '1'), { client: 'sensor-1', packetId: 1 });
  await first.appendOnce(textRecord('readings', '2'), { client: 'sensor-1', packetId: 0x1234 });
  await first.appendOnce(textRecord('readings', '3'), { client: 'wetter-süd', packetId: 65_535 });
  await first.close();
  const second = await openLog(session, fixed);
  await second.release({ client: 'sensor-1', packetId: 1 });
  await second.appendOnce(textRecord('readings', '4'), { client: 'sensor-2', packetId: 1 });
  await second.releaseAll('wetter-süd');
  await second.close();
  return await readJournal(session);
}

async function readJournal(disk: Disk): Promise<Buffer> {
  const file = await disk.open(path);
  const bytes = Buffer.alloc(blocks * 4096);
  await file.readAt(bytes, 0);
  return bytes;
}

/** 32 bytes a line; lines of zeros, which are most of them, are left out. */
const toHex = (bytes: Buffer): string =>
  Array.from({ length: bytes.length / 32 }, (_, line) => ({
    at: line * 32,
    line: bytes.subarray(line * 32, line * 32 + 32),
  }))
    .filter(({ line }) => line.some((byte) => byte !== 0))
    .map(({ at, line }) => `${at.toString(16).padStart(6, '0')} ${line.toString('hex')}\n`)
    .join('');

function fromHex(text: string): Buffer {
  const bytes = Buffer.alloc(blocks * 4096);
  for (const line of text.trim().split('\n')) {
    const [at, hex] = line.split(' ');
    bytes.set(Buffer.from(hex ?? '', 'hex'), Number.parseInt(at ?? '', 16));
  }
  return bytes;
}

async function put(disk: Disk, bytes: Buffer): Promise<void> {
  await disk.makeFolder('journal');
  const file = await disk.create(path);
  await file.writeAt(bytes, 0);
  await file.sync();
  await file.close();
}

test('today’s code writes the bytes of format 1', async () => {
  await expect(toHex(await writtenToday())).toMatchFileSnapshot('./format-1.hex');
});

test('today’s code writes QoS 2 ids as in format 1', async () => {
  await expect(toHex(await qos2WrittenToday())).toMatchFileSnapshot('./format-1-qos2.hex');
});

test('a journal of format 1 is opened and read', async () => {
  const session = new SimDisk(new SimRandom(2)).session();
  await put(session, fromHex(readFileSync(fixture, 'utf8')));
  const log = await openLog(session);
  expect(log.logId).toBe(Buffer.from(Array.from({ length: 16 }, (_, index) => index + 1)).toString('hex'));
  expect(log.topics()).toEqual([
    { name: 'readings', partitions: 2, settings: {} },
    { name: 'alarms', partitions: 1, settings: {} },
  ]);
  expect(await readTexts(log, 'readings', 0)).toEqual(['21.5', '21.6']);
  expect(await readRecords(log, 'readings', 1)).toEqual([
    { offset: 0, key: null, value: null, headers: [], timestampMs: 1_699_999_999_000 },
  ]);
  const [first] = await readRecords(log, 'readings', 0);
  expect(String(first?.key)).toBe('sensor-1');
  expect(first?.headers).toEqual([{ name: 'mqtt.topic', value: Buffer.from('plant/1') }]);
  expect(log.lives('readings', 0).map(({ firstOffset }) => firstOffset)).toEqual([0, 1]);
  await log.close();
});

test('the open QoS 2 ids of a journal of format 1 are known', async () => {
  const session = new SimDisk(new SimRandom(2)).session();
  await put(session, fromHex(readFileSync(qos2Fixture, 'utf8')));
  const log = await openLog(session);
  const open = ['sensor-1', 'sensor-2', 'wetter-süd'].map((client) => [...log.openQos2Ids(client)]);
  expect(open).toEqual([[0x1234], [1], []]);
  // The records before the copied commit are in the file before, which is not part of the fixture.
  expect(await readTexts(log, 'readings', 0, 2)).toEqual(['3', '4']);
  expect(await log.appendOnce(textRecord('readings', '4'), { client: 'sensor-2', packetId: 1 })).toBe(false);
  await log.close();
});
