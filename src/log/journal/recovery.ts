import type { ReadableDisk } from '../../core/disk.ts';
import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { malformed } from '../encoding/bytes.ts';
import type { Loss } from '../retention/loss-ledger.ts';
import { adoptSegments, noAdoptions } from '../segments/adoption.ts';
import { decodeEntries, type Entry, encodeEntries } from '../state/entries.ts';
import { LogState } from '../state/state.ts';
import type { FileHeader } from './file-header.ts';
import { batchesOf, FileIndex } from './file-index.ts';
import { buildFrame, type Frame, frameEntries, releaseEntries } from './frame.ts';
import {
  createJournalFile,
  type JournalFile,
  journalFolder,
  type LogEnvironment,
  lastQuarantinedSequence,
  lifeOfFrame,
  listJournalFiles,
  type OpenJournalFile,
  readFileHeader,
} from './journal-files.ts';
import { type LocatedFrame, type ScanEnd, scanFile } from './scan.ts';
import type { Spares } from './spares.ts';

/** A journal that may be served and committed to. */
export interface RecoveredJournal {
  readonly state: LogState;
  /** Oldest first; the last one is `open.file`. */
  readonly files: JournalFile[];
  readonly open: OpenJournalFile;
  /** The number of the last commit that counts. */
  readonly lastCommit: number;
  /** What was found to be lost, and is not in the ledger yet. */
  readonly losses: readonly Loss[];
}

/**
 * The one recovery (design §4, rule 2), used at every start and after every failed write or sync. The last frame
 * is the only one that may be valid to read and yet not be durable: it may be in the page cache alone, or its
 * sync may have failed. So it is copied, with its number and its life, into a new file of a new life; once that
 * file is durable, everything that this function returns is. From then on no older file can speak about that
 * commit or a later one, whatever a failing device still completes. If the medium took the newest files or all of them,
 * the new file also says what is found in segments that only those knew.
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
  const quarantined = await lastQuarantinedSequence(env);
  const isNewestLost = quarantined > (newest?.header.sequence ?? 0) || newest === undefined;
  const { entries: adopted, losses } = isNewestLost ? await adoptSegments(env, state, files) : noAdoptions;
  if (newest === undefined && adopted.length > 0)
    env.logger.error(
      {},
      'the journal is lost: records that were not in segments are gone with it, and settings of topics; what the ' +
        'segments hold begins a new log, and the mirror sends it again',
    );
  for (const entry of adopted) state.apply(entry, undefined, env.version);
  const header: FileHeader = {
    logId: newest?.header.logId ?? randomHex(env, 16),
    life: {
      ordinal: 1 + Math.max(0, ...files.map((file) => file.header.life.ordinal), lastLifeOrdinal(state)),
      lifeId: randomHex(env, 16),
    },
    copiedLife: last && newest && lifeOfFrame(newest.header, last.frame),
    sequence: 1 + Math.max(newest?.header.sequence ?? 0, quarantined),
    salt: env.random.bytes(8),
    firstCommit: last?.frame.commitNumber ?? newest?.header.firstCommit ?? 1,
    createdWallMs: env.clock.wallMs(),
    writer: env.version,
    snapshot: before,
  };
  const lastCommit = last?.frame.commitNumber ?? header.firstCommit - 1;
  const copies = last === undefined ? [] : [last.frame];
  const adoptions = adoptionFrames(adopted, lastCommit, header.life.ordinal);
  const open = await createJournalFile(env, await spares.take(), header, [...copies, ...adoptions]);
  open.file.index = indexOfCopy(open, last);
  for (const file of files) file.endCommit = Math.min(file.endCommit, header.firstCommit);
  return { state, files: [...files, open.file], open, lastCommit: lastCommit + adoptions.length, losses };
}

/** What is taken over from segments, as commits of the new life that its file has from the beginning. */
function adoptionFrames(entries: readonly Entry[], lastCommit: number, lifeOrdinal: number): Frame[] {
  const frames: Frame[] = [];
  for (let from = 0; from < entries.length; from += limits.adoptionEntriesMax) {
    const raw = encodeEntries(entries.slice(from, from + limits.adoptionEntriesMax));
    frames.push(buildFrame(lastCommit + 1 + frames.length, lifeOrdinal, raw));
  }
  return frames;
}

const lastLifeOrdinal = (state: LogState): number =>
  Math.max(0, ...state.everyPartition().map(({ lives }) => lives.at(-1)?.ordinal ?? 0));

/** What the newest file says. */
export interface Replayed extends ScanEnd {
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
  const snapshot = (await readFileHeader(disk, file.path))?.snapshot;
  if (snapshot === undefined) throw malformed(`header of ${file.path}, which was read a moment ago`);
  const state = LogState.fromSnapshot(snapshot, header.writer);
  const apply = ({ frame }: LocatedFrame): void => {
    const life = lifeOfFrame(header, frame);
    assert(life !== undefined, `${file.path} names the life of each of its frames`);
    const entries = frameEntries(frame);
    for (const entry of decodeEntries(entries)) state.apply(entry, life, header.writer);
    releaseEntries(frame, entries);
  };
  const range = { salt: header.salt, startPosition, firstCommit: header.firstCommit, endCommit };
  // Each frame waits for the next one: the state before the last one is asked for, too.
  let last: LocatedFrame | undefined;
  const { damage, end } = await scanFile(disk, file.path, range, (located) => {
    if (last !== undefined) apply(last);
    last = { ...located, frame: { ...located.frame, stored: Uint8Array.from(located.frame.stored) } };
  });
  const before = state.snapshot();
  if (last !== undefined) apply(last);
  return { state, before, last, damage, end };
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
