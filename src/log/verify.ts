import type { ReadableDisk } from '../core/disk.ts';
import { isSystemError, messageOf } from '../core/errors.ts';
import { isIntactBatch } from './encoding/batch.ts';
import { release } from './encoding/bytes.ts';
import { batchesOf } from './journal/file-index.ts';
import { frameEntries, isTornFrame, releaseEntries } from './journal/frame.ts';
import {
  isJournalName,
  type JournalFile,
  journalFolder,
  quarantineFolder,
  readWholeFile,
} from './journal/journal-files.ts';
import { looseFrames } from './journal/loose-frames.ts';
import { type Damage, type LocatedFrame, scanFrames, scanRange } from './journal/scan.ts';
import type { OffsetRange } from './segments/seal-job.ts';
import { walkSegment } from './segments/segment-reader.ts';
import { partitionFolder, type Segment, segmentPath } from './state/catalog.ts';
import { partitionKey } from './state/entries.ts';
import { lifeAt, type Partition } from './state/state.ts';
import { readLogState, type StoredLog } from './stopped-log.ts';

/** Offsets of one partition. */
export interface PartitionRange extends OffsetRange {
  readonly topic: string;
  readonly partition: number;
}

/** What the check of a data folder finds, as it goes. Files are named as in the data folder, positions are bytes. */
export type VerifyEvent =
  | { readonly kind: 'started'; readonly totalBytes: number }
  /** So many bytes more are checked. */
  | { readonly kind: 'checked'; readonly bytes: number }
  /** Nothing holds these offsets any more. */
  | ({ readonly kind: 'lost' } & PartitionRange)
  | {
      readonly kind: 'damaged';
      readonly file: string;
      readonly position: number;
      readonly sizeBytes: number;
      readonly what: string;
    }
  /** The journal ends in a commit that is not whole: the next start cuts it off. */
  | {
      readonly kind: 'torn-tail';
      readonly file: string;
      readonly position: number;
      readonly commitNumber: number;
    }
  | SetAside
  /** `records` are there; no log id if no journal file has a whole header. */
  | {
      readonly kind: 'done';
      readonly logId: string | undefined;
      readonly partitions: number;
      readonly records: number;
    };

/** A file that counts for nothing because its header is damaged, with the offsets that can still be read in it. */
export interface SetAside {
  readonly kind: 'set-aside';
  readonly file: string;
  readonly sizeBytes: number;
  readonly holds: readonly PartitionRange[];
}

/**
 * Checks everything in a data folder that nobody writes to, and changes nothing: each header, commit and batch, and that
 * the offsets of each partition run from its log start to its high watermark. Judges as the gateway does when it starts
 * and reads. Memory is bounded by one journal file.
 * @throws OperatingError `unreadable-format` for a folder of a later version; other errors are the disk's own
 */
export async function* verifyLog(disk: ReadableDisk): AsyncGenerator<VerifyEvent> {
  const log = await readLogState(disk);
  const numbered = (await disk.list(journalFolder)).filter(isJournalName);
  const headless = numbered
    .filter((name) => log === undefined || log.damaged.includes(name))
    .map((name) => `${journalFolder}/${name}`);
  const setAside = (await disk.list(quarantineFolder)).map((name) => `${quarantineFolder}/${name}`);
  const partitions = log?.state.everyPartition() ?? [];
  yield { kind: 'started', totalBytes: await totalBytes(disk, log, [...headless, ...setAside]) };
  const runs: OffsetRuns = new Map(partitions.map((one) => [partitionKey(one.id), new OffsetRun(one)]));
  for (const run of runs.values()) yield* verifySegments(disk, run);
  for (const file of log?.files ?? []) yield* verifyJournalFile(disk, file, runs);
  for (const run of runs.values()) yield* run.reach(run.partition.nextOffset, run.partition.nextOffset);
  for (const file of headless) yield* verifyHeadless(disk, file, runs);
  for (const file of setAside) {
    const found = await readSetAside(disk, file, runs);
    yield found;
    yield { kind: 'checked', bytes: found.sizeBytes };
  }
  const records = [...runs.values()].reduce((sum, run) => sum + run.records, 0);
  yield { kind: 'done', logId: log?.logId, partitions: log?.state.partitions().length ?? 0, records };
}

/** How far the records of a partition have been found. */
class OffsetRun {
  readonly partition: Partition;
  #next: number;
  #records = 0;

  constructor(partition: Partition) {
    this.partition = partition;
    this.#next = partition.logStartOffset;
  }

  /** The next offset that is looked for. */
  get next(): number {
    return this.#next;
  }

  /** So many were found. */
  get records(): number {
    return this.#records;
  }

  /** Records from one offset to another are there; what should have come before them is lost. */
  *reach(fromOffset: number, endOffset: number): Generator<VerifyEvent> {
    const { topic, id } = this.partition;
    if (fromOffset > this.#next) {
      const range = { fromOffset: this.#next, endOffset: fromOffset };
      yield { kind: 'lost', topic, partition: id.partition, ...range };
    }
    this.#records += Math.max(0, endOffset - Math.max(fromOffset, this.#next));
    this.#next = Math.max(this.#next, endOffset);
  }
}

type OffsetRuns = ReadonlyMap<string, OffsetRun>;

/** A numbered file that the next start will move to the quarantine folder. */
async function* verifyHeadless(
  disk: ReadableDisk,
  file: string,
  runs: OffsetRuns,
): AsyncGenerator<VerifyEvent> {
  const found = await readSetAside(disk, file, runs);
  const what = 'its header is damaged, so that nothing in it counts; the next start sets the file aside';
  yield { kind: 'damaged', file, position: 0, sizeBytes: found.sizeBytes, what };
  yield found;
  // The high watermark does not reach so far, since no other file tells of them.
  for (const range of found.holds) {
    const run = [...runs.values()].find(
      ({ partition }) => partition.topic === range.topic && partition.id.partition === range.partition,
    );
    if (run !== undefined) yield* run.reach(range.endOffset, range.endOffset);
  }
  yield { kind: 'checked', bytes: found.sizeBytes };
}

async function* verifySegments(disk: ReadableDisk, run: OffsetRun): AsyncGenerator<VerifyEvent> {
  const { partition } = run;
  for (const segment of partition.segments) yield* verifySegment(disk, run, segment);
  // Below, readers do not look into the journal.
  yield* run.reach(partition.sealedOffset, partition.sealedOffset);
}

async function* verifySegment(
  disk: ReadableDisk,
  run: OffsetRun,
  segment: Segment,
): AsyncGenerator<VerifyEvent> {
  const { topic, id } = run.partition;
  const file = segmentPath(partitionFolder(topic, id.partition), segment.baseOffset);
  try {
    for await (const piece of walkSegment(disk, run.partition, segment)) {
      const { position, endPosition, baseOffset, endOffset, isIntact } = piece;
      const sizeBytes = endPosition - position;
      const offsets = `offsets ${baseOffset} to ${endOffset - 1}`;
      const what = `a checksum, an offset or the life of a batch is wrong: ${offsets}`;
      if (isIntact) yield* run.reach(baseOffset, endOffset);
      else yield { kind: 'damaged', file, position, sizeBytes, what };
      yield { kind: 'checked', bytes: sizeBytes };
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const { sizeBytes } = segment;
    yield { kind: 'damaged', file, position: 0, sizeBytes, what: `cannot be opened: ${messageOf(error)}` };
    yield { kind: 'checked', bytes: sizeBytes };
  }
}

async function* verifyJournalFile(
  disk: ReadableDisk,
  file: JournalFile,
  runs: OffsetRuns,
): AsyncGenerator<VerifyEvent> {
  const { path, header, endCommit } = file;
  const bytes = await readWholeFile(disk, path);
  const { frames, damage, end } = scanFrames(bytes, scanRange(file));
  const isNewest = endCommit === Number.POSITIVE_INFINITY;
  for (const { position, sizeBytes, ...lost } of damage)
    yield { kind: 'damaged', file: path, position, sizeBytes, what: lostCommits(lost, isNewest) };
  for (const located of frames) yield* verifyFrame(path, located, runs);
  if (isNewest && isTornFrame(bytes, end.position, header.salt, end.commitNumber))
    yield { kind: 'torn-tail', file: path, ...end };
  yield { kind: 'checked', bytes: bytes.length };
  release(bytes);
}

function lostCommits(
  { firstCommit, endCommit }: Pick<Damage, 'firstCommit' | 'endCommit'>,
  isNewest: boolean,
) {
  const last = endCommit - 1;
  const commits = firstCommit === last ? `commit ${last} is` : `commits ${firstCommit} to ${last} are`;
  // A later file would say how far each partition reached.
  const more = '; the last records of a partition that were in nothing else cannot be named';
  return `${commits} missing${isNewest ? more : ''}`;
}

function* verifyFrame(
  file: string,
  { frame, position, sizeBytes }: LocatedFrame,
  runs: OffsetRuns,
): Generator<VerifyEvent> {
  const entries = frameEntries(frame);
  for (const { partitionKey: key, baseOffset, lastOffset, bytes } of batchesOf(entries)) {
    const run = runs.get(key);
    if (run === undefined || lastOffset < run.next) continue;
    if ((lifeAt(run.partition, lastOffset) ?? frame.lifeOrdinal) !== frame.lifeOrdinal) continue;
    const what = `the checksum of a batch is wrong: offsets ${baseOffset} to ${lastOffset}`;
    if (isIntactBatch(bytes)) yield* run.reach(baseOffset, lastOffset + 1);
    else yield { kind: 'damaged', file, position, sizeBytes, what };
  }
  releaseEntries(frame, entries);
}

/** The offsets that can still be read in a file that counts for nothing. */
async function readSetAside(disk: ReadableDisk, file: string, runs: OffsetRuns): Promise<SetAside> {
  const bytes = await readWholeFile(disk, file);
  // A recycled file also holds commits of its earlier use, which have lower numbers.
  let salt: string | undefined;
  let newest = -1;
  for (const { frame, salt: ofFrame } of looseFrames(bytes)) {
    if (frame.commitNumber > newest) salt = ofFrame;
    newest = Math.max(newest, frame.commitNumber);
  }
  const holds = new HeldRanges();
  for (const located of looseFrames(bytes)) {
    if (located.salt !== salt) continue;
    for (const { partitionKey: key, baseOffset, lastOffset } of batchesOf(frameEntries(located.frame)))
      holds.add(runs.get(key)?.partition, baseOffset, lastOffset + 1);
  }
  return { kind: 'set-aside', file, sizeBytes: bytes.length, holds: holds.ranges };
}

/** Ranges of offsets; those that follow on each other are one. */
class HeldRanges {
  readonly #ranges: PartitionRange[] = [];
  readonly #newest = new Map<Partition, number>();

  get ranges(): readonly PartitionRange[] {
    return this.#ranges;
  }

  add(partition: Partition | undefined, fromOffset: number, endOffset: number): void {
    if (partition === undefined) return;
    const index = this.#newest.get(partition) ?? -1;
    const range = this.#ranges[index];
    if (range?.endOffset === fromOffset) {
      this.#ranges[index] = { ...range, endOffset };
      return;
    }
    const { topic, id } = partition;
    this.#newest.set(partition, this.#ranges.length);
    this.#ranges.push({ topic, partition: id.partition, fromOffset, endOffset });
  }
}

async function totalBytes(
  disk: ReadableDisk,
  log: StoredLog | undefined,
  others: readonly string[],
): Promise<number> {
  let total = 0;
  for (const path of [...(log?.files.map((file) => file.path) ?? []), ...others])
    total += await sizeOf(disk, path);
  for (const { segments } of log?.state.everyPartition() ?? [])
    for (const { sizeBytes } of segments) total += sizeBytes;
  return total;
}

async function sizeOf(disk: ReadableDisk, path: string): Promise<number> {
  const file = await disk.open(path);
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}
