import type { Clock } from '../core/clock.ts';
import type { Disk, DiskFile } from '../core/disk.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Random } from '../core/random.ts';
import { decodeFileHeader, encodeFileHeader, type FileHeader, headerSizeBytes } from './file-header.ts';
import type { FileIndex } from './file-index.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { type Life, LogState, partitionKey } from './state.ts';

/** What the log needs of the machine and of its owner. */
export interface LogEnvironment {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The product version, kept in each file so that a refusal can name it. */
  readonly version: string;
  /** Size of a journal file. */
  readonly fileBytes: number;
}

/** A file of the journal, as readers know it. */
export interface JournalFile {
  readonly path: string;
  /** Without the snapshot: it is large, and only recovery reads it. */
  readonly header: Omit<FileHeader, 'snapshot'>;
  readonly startPosition: number;
  /** Frames from this commit on do not count: a newer file says so. */
  endCommit: number;
  /** For each partition (by its key) the next offset before the file's first commit. */
  readonly nextOffsets: ReadonlyMap<string, number>;
  /** Where its batches are, once known. */
  index: FileIndex | undefined;
}

export const journalFolder = 'journal';
const quarantineFolder = 'quarantine';
const fillingPath = `${journalFolder}/filling`;
const takenPath = `${journalFolder}/taken`;

const journalPath = (sequence: number): string =>
  `${journalFolder}/${String(sequence).padStart(20, '0')}.journal`;

const isJournalName = (name: string): boolean => /^\d{20}\.journal$/.test(name);

/** The whole files of the journal, oldest first. A file with a damaged header is kept in quarantine. */
export async function listJournalFiles(env: LogEnvironment): Promise<JournalFile[]> {
  const files: JournalFile[] = [];
  for (const name of [...(await env.disk.list(journalFolder))].sort()) {
    if (!isJournalName(name)) continue;
    const path = `${journalFolder}/${name}`;
    const header = await readFileHeader(env.disk, path);
    if (header === undefined) await quarantine(env, name);
    else files.push(journalFile(path, header));
  }
  let endCommit = Number.POSITIVE_INFINITY;
  for (const file of files.toReversed()) {
    file.endCommit = endCommit;
    endCommit = Math.min(endCommit, file.header.firstCommit);
  }
  return files;
}

/** All bytes of a file: 16 MiB at most, read when its frames are looked for. */
export async function readWholeFile(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path);
  try {
    const bytes = Buffer.alloc(await file.size());
    const count = await file.readAt(bytes, 0);
    return bytes.subarray(0, count);
  } finally {
    await file.close();
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
 * Makes the next file of the journal. It is complete before it exists: header, snapshot and copied frame are
 * durable under a spare name before the file gets its number, and the number is durable before this resolves.
 * The caller has seen the last sync of the predecessor return, or has given it up. The spare is no longer called
 * one before it is written to: a failing device may complete a write late, into a file that somebody has taken for
 * an untouched spare.
 */
export async function createJournalFile(
  env: LogEnvironment,
  sparePath: string,
  header: FileHeader,
  copied: Frame | undefined,
): Promise<OpenJournalFile> {
  const path = journalPath(header.sequence);
  const headerBytes = encodeFileHeader(header);
  const frameBytes = copied === undefined ? new Uint8Array() : encodeFrame(copied, header.salt);
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

/** The life that wrote a frame of this file. */
export const lifeOfFrame = (header: JournalFile['header'], frame: Frame): Life | undefined =>
  [header.life, header.copiedLife].find((life) => life?.ordinal === frame.lifeOrdinal);

/**
 * Zero-filled files in reserve, so that a commit only ever overwrites blocks that the file system has allocated:
 * one flush instead of two, and a full disk shows here and not in a commit.
 */
export class Spares {
  readonly #env: LogEnvironment;
  #preparing: Promise<string> | undefined;
  #number = 0;

  constructor(env: LogEnvironment) {
    this.#env = env;
  }

  /** Starts to make the next spare file, unless there is one. */
  prepare(): void {
    if (this.#preparing !== undefined) return;
    const preparing = this.#make();
    this.#preparing = preparing;
    // Whoever waits for the spare gets the error. If nobody does yet, it is tried again for the one who comes.
    preparing.catch(() => {
      if (this.#preparing === preparing) this.#preparing = undefined;
    });
  }

  /** The path of a spare file, which now belongs to the caller. Rejects if none can be made. */
  async take(): Promise<string> {
    this.prepare();
    const preparing = this.#preparing;
    this.#preparing = undefined;
    return await (preparing as Promise<string>);
  }

  /** Waits for a file in the making. */
  async settle(): Promise<void> {
    await this.#preparing?.catch(() => undefined);
  }

  async #make(): Promise<string> {
    const { disk } = this.#env;
    const left = await this.#leftOver();
    if (left !== undefined) return left;
    try {
      await this.#fill();
    } catch (error) {
      // Half a spare would keep the last free bytes of a full disk from everybody else.
      await disk.remove(fillingPath).catch(() => {});
      throw error;
    }
    const path = this.#nextPath();
    await disk.rename(fillingPath, path);
    await disk.syncFolder(journalFolder);
    return path;
  }

  async #fill(): Promise<void> {
    const { disk, fileBytes } = this.#env;
    const file = await disk.create(fillingPath);
    try {
      const zeros = new Uint8Array(Math.min(fileBytes, limits.zeroFillBytes));
      for (let at = 0; at < fileBytes; at += zeros.length) {
        await file.writeAt(zeros.subarray(0, Math.min(zeros.length, fileBytes - at)), at);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** A spare of an earlier run. It was whole before it was called spare; old frames in it have another salt. */
  async #leftOver(): Promise<string | undefined> {
    if (this.#number > 0) return undefined;
    const names = (await this.#env.disk.list(journalFolder))
      .filter((name) => /^spare-\d+$/.test(name))
      .sort();
    this.#number = Math.max(0, ...names.map((name) => Number(name.slice('spare-'.length))));
    for (const name of names.slice(1)) await this.#env.disk.remove(`${journalFolder}/${name}`);
    const [first] = names;
    if (first === undefined) return undefined;
    const path = `${journalFolder}/${first}`;
    const file = await this.#env.disk.open(path);
    const size = await file.size();
    await file.close();
    if (size === this.#env.fileBytes) return path;
    await this.#env.disk.remove(path);
    return undefined;
  }

  #nextPath(): string {
    this.#number += 1;
    return `${journalFolder}/spare-${this.#number}`;
  }
}

async function readFileHeader(disk: Disk, path: string): Promise<FileHeader | undefined> {
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
  const partitions = LogState.fromSnapshot(snapshot, header.writer).partitions();
  return {
    path,
    header: rest,
    startPosition: encodeFileHeader(header).length,
    endCommit: Number.POSITIVE_INFINITY,
    nextOffsets: new Map(partitions.map(({ id, nextOffset }) => [partitionKey(id), nextOffset])),
    index: undefined,
  };
}

/** The highest number of a file in quarantine, or 0: a number is never used again. */
export async function lastQuarantinedSequence({ disk }: LogEnvironment): Promise<number> {
  const names = await disk.list(quarantineFolder);
  return Math.max(0, ...names.filter(isJournalName).map((name) => Number.parseInt(name, 10)));
}

async function quarantine({ disk, logger }: LogEnvironment, name: string): Promise<void> {
  await disk.makeFolder(quarantineFolder);
  await disk.rename(`${journalFolder}/${name}`, `${quarantineFolder}/${name}`);
  await disk.syncFolder(quarantineFolder);
  await disk.syncFolder(journalFolder);
  logger.error(
    { file: name },
    'the medium damaged the header of a journal file; its bytes are kept in the quarantine folder, its records are lost',
  );
}
