import type { Clock, ClockReading } from '../../core/clock.ts';
import type { Disk, DiskFile, ReadableDisk, ReadableFile } from '../../core/disk.ts';
import { isSystemError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Random } from '../../core/random.ts';
import { partitionKey } from '../state/entries.ts';
import { type Life, LogState } from '../state/state.ts';
import { decodeFileHeader, encodeFileHeader, type FileHeader, headerSizeBytes } from './file-header.ts';
import type { FileIndex } from './file-index.ts';
import { encodeFrame, type Frame } from './frame.ts';

/** What the log needs of the machine and of its owner. */
export interface LogEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  /** What is known of the clock; without it no clock epochs are kept, and stamps count as right. */
  readonly readClock?: (() => ClockReading) | undefined;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The product version, kept in each file so that a refusal can name it. */
  readonly version: string;
  /** Size of a journal file. */
  readonly fileBytes: number;
}

/** What reading needs of it: a disk that cannot be changed, and somebody to tell of damage. */
export interface ReadEnvironment {
  readonly disk: ReadableDisk;
  readonly logger: Logger;
}

/** Where a partition stood at the beginning of a journal file. */
export interface PartitionMark {
  readonly nextOffset: number;
  readonly sealedOffset: number;
}

/** A file of the journal, as readers know it. */
export interface JournalFile {
  readonly path: string;
  /** Without the snapshot: it is large, and only recovery reads it. */
  readonly header: Omit<FileHeader, 'snapshot'>;
  readonly startPosition: number;
  /** Frames from this commit on do not count: a newer file says so. */
  endCommit: number;
  /** Where each partition (by its key) stood before the file's first commit. */
  readonly marks: ReadonlyMap<string, PartitionMark>;
  /** The file has left the journal: what a reader still finds in it counts for nothing. */
  isGone: boolean;
  /** Where its batches are, once known. */
  index: FileIndex | undefined;
}

export const journalFolder = 'journal';
/** Where files are kept that the medium damaged. */
export const quarantineFolder = 'quarantine';
const takenPath = `${journalFolder}/taken`;

const journalPath = (sequence: number): string =>
  `${journalFolder}/${String(sequence).padStart(20, '0')}.journal`;

/** Whether a name is that of a numbered journal file. */
export const isJournalName = (name: string): boolean => /^\d{20}\.journal$/.test(name);

/** The whole files of the journal, oldest first. A file with a damaged header is kept in quarantine. */
export async function listJournalFiles(env: LogEnvironment): Promise<JournalFile[]> {
  const { files, damaged } = await findJournalFiles(env.disk);
  for (const name of damaged) await quarantine(env, name);
  return files;
}

/** What numbered files there are in the journal. */
export interface FoundJournalFiles {
  /** Oldest first. */
  readonly files: JournalFile[];
  /** The names of those whose header is damaged: nothing in them counts. */
  readonly damaged: readonly string[];
}

/** Reads the headers of the journal's files, and says up to which commit each counts. */
export async function findJournalFiles(disk: ReadableDisk): Promise<FoundJournalFiles> {
  const files: JournalFile[] = [];
  const damaged: string[] = [];
  let refusal: unknown;
  for (const name of [...(await disk.list(journalFolder))].sort()) {
    if (!isJournalName(name)) continue;
    const path = `${journalFolder}/${name}`;
    const header = await readFileHeader(disk, path).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      refusal = error;
      return undefined;
    });
    // A header of another number is what an earlier use of the file has left: the medium lost the one that was to replace it.
    if (header === undefined || journalPath(header.sequence) !== path) damaged.push(name);
    else files.push(journalFile(path, header));
  }
  // One header that cannot be read is damage; if no other can be, it is rather the whole device that fails just now.
  if (files.length === 0 && refusal !== undefined) throw refusal;
  let endCommit = Number.POSITIVE_INFINITY;
  for (const file of files.toReversed()) {
    file.endCommit = endCommit;
    endCommit = Math.min(endCommit, file.header.firstCommit);
  }
  return { files, damaged };
}

/**
 * All bytes of a file, 16 MiB at most. Blocks that the medium refuses to read are
 * zeros, so that they cost the frames in them and no others.
 */
export async function readWholeFile(disk: ReadableDisk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path);
  try {
    return await readOverDamage(file, 0, await file.size());
  } finally {
    await file.close();
  }
}

/** So many bytes from a position on, fewer at the end; blocks that the medium refuses to read are zeros. */
export async function readOverDamage(
  file: ReadableFile,
  position: number,
  sizeBytes: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  const count = await file.readAt(bytes, position).catch(async (error: unknown) => {
    if (!isSystemError(error)) throw error;
    await readBlockByBlock(file, position, bytes);
    return Math.min(bytes.length, Math.max(0, (await file.size()) - position));
  });
  return bytes.subarray(0, count);
}

async function readBlockByBlock(file: ReadableFile, position: number, bytes: Buffer): Promise<void> {
  bytes.fill(0);
  for (let at = 0; at < bytes.length; at += limits.journalBlockBytes) {
    const block = bytes.subarray(at, at + limits.journalBlockBytes);
    await file.readAt(block, position + at).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      block.fill(0);
    });
  }
}

/** A file that is ready for commits. */
export interface OpenJournalFile {
  readonly file: JournalFile;
  readonly handle: DiskFile;
  /** Where the next frame goes. */
  readonly position: number;
}

/**
 * Makes the next file of the journal. It is complete before it exists: header, snapshot and first frames are
 * durable under a spare name before the file gets its number, and the number is durable before this resolves.
 * The caller has seen the last sync of the predecessor return, or has given it up. The spare is no longer called
 * one before it is written to: a failing device may complete a write late, into a file that somebody has taken for
 * an untouched spare.
 */
export async function createJournalFile(
  env: LogEnvironment,
  sparePath: string,
  header: FileHeader,
  frames: readonly Frame[],
): Promise<OpenJournalFile> {
  const path = journalPath(header.sequence);
  const headerBytes = encodeFileHeader(header);
  const frameBytes = Buffer.concat(frames.map((frame) => encodeFrame(frame, header.salt)));
  await env.disk.rename(sparePath, takenPath);
  await env.disk.syncFolder(journalFolder);
  const handle = await env.disk.open(takenPath);
  try {
    await handle.writeAt(Buffer.concat([headerBytes, frameBytes]), 0);
    await handle.sync();
    await env.disk.rename(takenPath, path);
    await env.disk.syncFolder(journalFolder);
  } catch (error) {
    await handle.close().catch(() => {});
    // If this fails too, the next attempt's file replaces it.
    await env.disk.remove(takenPath).catch(() => {});
    throw error;
  }
  return { file: journalFile(path, header), handle, position: headerBytes.length + frameBytes.length };
}

/**
 * Where each partition stood after the commits of the files up to this one: at the beginning of the next file with commits that
 * count. A file may have none: on a medium that loses what it called durable, a newer one may begin before it.
 */
export function marksAfter(files: readonly JournalFile[], index: number): ReadonlyMap<string, PartitionMark> {
  const counts = ({ header, endCommit }: JournalFile): boolean => header.firstCommit < endCommit;
  const next = files.slice(0, index + 1).some(counts) ? files.slice(index + 1).find(counts) : undefined;
  return next?.marks ?? new Map();
}

/**
 * How many of the oldest files may leave the journal: all that they hold is in segments, and the newest file's header says
 * so. It and the one before it stay: if the medium damages that header, the other one alone still tells everything.
 */
export function countSealedFiles(files: readonly JournalFile[]): number {
  const marks = files.at(-1)?.marks;
  return countSealed(files, files.length - 2, (key) => marks?.get(key)?.sealedOffset ?? 0);
}

/** How many more could leave if another file was begun now, whose header would say what `state` says. */
export function countHeldFiles(files: readonly JournalFile[], state: LogState): number {
  const sealed = new Map(
    state.everyPartition().map(({ id, sealedOffset }) => [partitionKey(id), sealedOffset]),
  );
  return countSealed(files, files.length - 1, (key) => sealed.get(key) ?? 0) - countSealedFiles(files);
}

function countSealed(
  files: readonly JournalFile[],
  countMax: number,
  sealedOffsetOf: (partitionKey: string) => number,
): number {
  const holding = files
    .slice(0, -1)
    .findIndex((_, index) =>
      [...marksAfter(files, index)].some(([key, mark]) => mark.nextOffset > sealedOffsetOf(key)),
    );
  return Math.max(0, Math.min(countMax, holding < 0 ? files.length - 1 : holding));
}

/** The life that wrote a frame of this file. */
export const lifeOfFrame = (header: JournalFile['header'], frame: Frame): Life | undefined =>
  [header.life, header.copiedLife].find((life) => life?.ordinal === frame.lifeOrdinal);

/** The header of a file, with its snapshot; undefined if it is damaged. */
export async function readFileHeader(disk: ReadableDisk, path: string): Promise<FileHeader | undefined> {
  const file = await disk.open(path);
  try {
    const firstBlock = new Uint8Array(limits.journalBlockBytes);
    await file.readAt(firstBlock, 0);
    const size = Math.min(headerSizeBytes(firstBlock) ?? 0, limits.journalFileBytes);
    const bytes = new Uint8Array(size);
    await file.readAt(bytes, 0);
    return decodeFileHeader(bytes);
  } finally {
    await file.close();
  }
}

function journalFile(path: string, header: FileHeader): JournalFile {
  const { snapshot, ...rest } = header;
  const partitions = LogState.fromSnapshot(snapshot, header.writer).everyPartition();
  return {
    path,
    header: rest,
    startPosition: encodeFileHeader(header).length,
    endCommit: Number.POSITIVE_INFINITY,
    marks: new Map(
      partitions.map(({ id, nextOffset, sealedOffset }) => [partitionKey(id), { nextOffset, sealedOffset }]),
    ),
    isGone: false,
    index: undefined,
  };
}

/** The highest number of a file in quarantine, or 0: a number is never used again. */
export async function lastQuarantinedSequence({ disk }: LogEnvironment): Promise<number> {
  const names = await disk.list(quarantineFolder);
  return Math.max(0, ...names.filter(isJournalName).map((name) => Number.parseInt(name, 10)));
}

/** What damage left in the quarantine, bytes. */
export async function quarantinedBytes({ disk }: LogEnvironment): Promise<number> {
  let bytes = 0;
  for (const name of await disk.list(quarantineFolder)) {
    const file = await disk.open(`${quarantineFolder}/${name}`);
    bytes += await file.size();
    await file.close();
  }
  return bytes;
}

/**
 * Moves a file into quarantine, durably: its bytes are kept for a person to look at. They count for the disk budget, so
 * room is bounded; without more of it, files kept before go first.
 */
export async function moveToQuarantine(
  env: LogEnvironment,
  folder: string,
  name: string,
  as: string,
): Promise<void> {
  await env.disk.makeFolder(quarantineFolder);
  await env.disk.rename(`${folder}/${name}`, `${quarantineFolder}/${as}`);
  await env.disk.syncFolder(quarantineFolder);
  await env.disk.syncFolder(folder);
  await boundQuarantine(env, as);
}

/** Removes what is too much in the quarantine, `newest` last; the highest number is to be known for ever. */
export async function boundQuarantine(env: LogEnvironment, newest?: string): Promise<void> {
  const names = [...(await env.disk.list(quarantineFolder))].sort();
  const numbered = names.filter(isJournalName).at(-1);
  const others = names.filter((name) => name !== newest);
  for (const name of newest === undefined ? others : [...others, newest]) {
    if ((await quarantinedBytes(env)) <= env.fileBytes * limits.quarantineFilesMax) return;
    if (name === numbered) continue;
    await env.disk.remove(`${quarantineFolder}/${name}`);
    env.logger.warn({ file: name }, 'the quarantine folder is full; this file is no longer kept in it');
  }
}

async function quarantine(env: LogEnvironment, name: string): Promise<void> {
  await moveToQuarantine(env, journalFolder, name, name);
  env.logger.error(
    { file: name },
    'the medium damaged the header of a journal file; its bytes are kept in the quarantine folder, its records are lost',
  );
}
