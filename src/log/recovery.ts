import type { ReadableDisk } from '../core/disk.ts';
import { assert } from '../core/errors.ts';
import { malformed } from './bytes.ts';
import { decodeEntries } from './entries.ts';
import { decodeFileHeader, type FileHeader } from './file-header.ts';
import { batchesOf, FileIndex } from './file-index.ts';
import { frameEntries } from './frame.ts';
import {
  createJournalFile,
  type JournalFile,
  journalFolder,
  type LogEnvironment,
  lastQuarantinedSequence,
  lifeOfFrame,
  listJournalFiles,
  type OpenJournalFile,
  readWholeFile,
} from './journal-files.ts';
import { type LocatedFrame, type ScanResult, scanFrames } from './scan.ts';
import type { Spares } from './spares.ts';
import { LogState } from './state.ts';

/** A journal that may be served and committed to. */
export interface RecoveredJournal {
  readonly state: LogState;
  /** Oldest first; the last one is `open.file`. */
  readonly files: JournalFile[];
  readonly open: OpenJournalFile;
  /** The number of the last commit that counts. */
  readonly lastCommit: number;
}

/**
 * The one recovery (design §4, rule 2), used at every start and after every failed write or sync. The last frame
 * is the only one that may be valid to read and yet not be durable: it may be in the page cache alone, or its
 * sync may have failed. So it is copied, with its number and its life, into a new file of a new life; once that
 * file is durable, everything that this function returns is. From then on no older file can speak about that
 * commit or a later one, whatever a failing device still completes.
 */
export async function recoverJournal(env: LogEnvironment, spares: Spares): Promise<RecoveredJournal> {
  await env.disk.makeFolder(journalFolder);
  const files = await listJournalFiles(env);
  const newest = files.at(-1);
  const replayed = newest === undefined ? emptyJournal() : await replayNewestFile(env.disk, newest);
  for (const lost of replayed.damage) {
    env.logger.error(
      { file: newest?.path, ...lost },
      'the medium damaged commits of the journal; their records are lost',
    );
  }
  const { state, before, last } = replayed;
  const header: FileHeader = {
    logId: newest?.header.logId ?? randomHex(env, 16),
    life: {
      ordinal: 1 + Math.max(0, ...files.map((file) => file.header.life.ordinal)),
      lifeId: randomHex(env, 16),
    },
    copiedLife: last && newest && lifeOfFrame(newest.header, last.frame),
    sequence: 1 + Math.max(newest?.header.sequence ?? 0, await lastQuarantinedSequence(env)),
    salt: env.random.bytes(8),
    firstCommit: last?.frame.commitNumber ?? newest?.header.firstCommit ?? 1,
    createdWallMs: env.clock.wallMs(),
    writer: env.version,
    snapshot: before,
  };
  const open = await createJournalFile(env, await spares.take(), header, last?.frame);
  open.file.index = indexOfCopy(open, last);
  for (const file of files) file.endCommit = Math.min(file.endCommit, header.firstCommit);
  const lastCommit = last?.frame.commitNumber ?? header.firstCommit - 1;
  return { state, files: [...files, open.file], open, lastCommit };
}

/** What the newest file says. */
export interface Replayed extends Pick<ScanResult, 'damage' | 'end'> {
  readonly state: LogState;
  /** Snapshot of the state before the last frame. */
  readonly before: Uint8Array;
  readonly last: LocatedFrame | undefined;
}

function emptyJournal(): Replayed {
  const state = new LogState();
  const end = { position: 0, commitNumber: 1 };
  return { state, before: state.snapshot(), last: undefined, damage: [], end };
}

/**
 * What the journal says, found without changing anything. The newest file's snapshot says everything about the older
 * ones, so only its own frames are read.
 */
export async function replayNewestFile(disk: ReadableDisk, file: JournalFile): Promise<Replayed> {
  const { header, startPosition, endCommit } = file;
  const bytes = await readWholeFile(disk, file.path);
  const snapshot = decodeFileHeader(bytes)?.snapshot;
  if (snapshot === undefined) throw malformed(`header of ${file.path}, which was read a moment ago`);
  const range = { salt: header.salt, startPosition, firstCommit: header.firstCommit, endCommit };
  const { frames, damage, end } = scanFrames(bytes, range);
  const state = LogState.fromSnapshot(snapshot, header.writer);
  let before = state.snapshot();
  for (const located of frames) {
    if (located === frames.at(-1)) before = state.snapshot();
    const life = lifeOfFrame(header, located.frame);
    assert(life !== undefined, `${file.path} names the life of each of its frames`);
    for (const entry of decodeEntries(frameEntries(located.frame))) state.apply(entry, life, header.writer);
  }
  return { state, before, last: frames.at(-1), damage, end };
}

function indexOfCopy(open: OpenJournalFile, last: LocatedFrame | undefined): FileIndex {
  const index = new FileIndex();
  if (last !== undefined) {
    const { sizeBytes, frame } = last;
    const place = { position: open.file.startPosition, sizeBytes, lifeOrdinal: frame.lifeOrdinal };
    index.add(place, batchesOf(frameEntries(frame)));
  }
  return index;
}

const randomHex = (env: LogEnvironment, bytes: number): string =>
  Buffer.from(env.random.bytes(bytes)).toString('hex');
