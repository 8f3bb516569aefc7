import { setImmediate } from 'node:timers/promises';
import { limits } from '../../src/core/limits.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import type { Log, LogOptions } from '../../src/log/log.ts';
import { readFiles } from './disk-files.ts';
import { openLog, readRecords, textRecord } from './log-on-disk.ts';
import { SimDisk } from './sim-disk.ts';
import { SimRandom } from './sim-random.ts';
import { VirtualClock } from './virtual-time.ts';

/** Small journal files, so that much is sealed. */
export const fileBytes = 6 * limits.journalBlockBytes;
/** So many commits of a block each fill a journal file, and one begins the next. */
export const commitsPerFile = 5;

/** A disk without faults. */
export const newDisk = (seed = 1): SimDisk => new SimDisk(new SimRandom(seed));

/** A log with small files; upkeep that fails waits in virtual time. */
export const open = (disk: SimDisk, options: Partial<LogOptions> = {}): Promise<Log> =>
  openLog(disk.session(), { journalFileBytes: fileBytes, clock: new VirtualClock(), ...options });

/** Appends texts, each in a commit of its own; returns them. */
export async function appendTexts(
  log: Log,
  count: number,
  name = 'record',
  topic = 'a',
  partition = 0,
): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, index) => `${name} ${index}`);
  for (const text of texts) await log.append([textRecord(topic, text, { partition })]);
  return texts;
}

/** Until upkeep has nothing left to do: the disk has been left alone for some turns of the event loop. */
export async function settled(disk: SimDisk): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < 10; ) {
    await setImmediate();
    quiet = disk.operation === seen ? quiet + 1 : 0;
    seen = disk.operation;
  }
}

/** One line of the service log. */
export type Report = Readonly<Record<string, unknown>> & { readonly message: string };

/** A logger, and what it was told at the levels warn and error. */
export function listener(): { logger: Logger; reports: Report[] } {
  const reports: Report[] = [];
  const report = (fields: object, message: string): void => void reports.push({ ...fields, message });
  return { reports, logger: { ...silentLogger, warn: report, error: report } };
}

/** Everything that a log serves, by partition, with offsets. */
export async function served(log: Log): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { topic, partition, logStartOffset } of log.partitions()) {
    const records = await readRecords(log, topic, partition, logStartOffset);
    found[`${topic}-${partition}`] = records.map(
      ({ offset, value }) => `${offset} ${Buffer.from(value ?? [])}`,
    );
  }
  return found;
}

/** What of `all` has offsets up to the end of `found`. */
export const beginning = (all: readonly string[] = [], found: readonly string[] = []): readonly string[] =>
  all.slice(0, found.length);

/** The path of a segment. */
export const segment = (baseOffset: number, folder = 'a-0'): string =>
  `topics/${folder}/${String(baseOffset).padStart(20, '0')}.log`;

/** The segments of a folder, oldest first. */
export const segmentsOf = async (disk: SimDisk, folder = 'a-0'): Promise<[string, Buffer][]> => [
  ...(await readFiles(disk.fork().session(), `topics/${folder}`)),
];

/** The offset that the name of a segment says. */
export const firstOffsetIn = (path: string): number => Number(path.slice(-24, -4));

/** Positions of the batches of a segment. */
export function batchesIn(bytes: Buffer): number[] {
  const positions: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) positions.push(at);
  return positions;
}

/** The offset of the batch that begins there. */
export const offsetAt = (bytes: Buffer, at: number): number => Number(bytes.readBigInt64BE(at));
/** The offset behind the batch that begins there. */
export const endAt = (bytes: Buffer, at: number): number =>
  offsetAt(bytes, at) + bytes.readInt32BE(at + 23) + 1;
