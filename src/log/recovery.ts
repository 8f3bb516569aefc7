import { limits } from '../core/limits.ts';
import type { FileHeader } from './journal/file-header.ts';
import { batchesOf, FileIndex } from './journal/file-index.ts';
import { buildFrame, type Frame, frameEntries } from './journal/frame.ts';
import { Journal } from './journal/journal.ts';
import {
  createJournalFile,
  journalFolder,
  type LogEnvironment,
  lastQuarantinedSequence,
  lifeOfFrame,
  listJournalFiles,
  type OpenJournalFile,
} from './journal/journal-files.ts';
import { emptyJournal, replayNewestFile } from './journal/replay.ts';
import type { LocatedFrame } from './journal/scan.ts';
import { Spares } from './journal/spares.ts';
import { adoptSegments, noAdoptions } from './segments/adoption.ts';
import { type Entry, encodeEntries } from './state/entries.ts';
import type { LogState } from './state/state.ts';

/**
 * The one recovery (design §4, rule 2), used at every start and after every failed write or sync. The last frame
 * is the only one that may be valid to read and yet not be durable: it may be in the page cache alone, or its
 * sync may have failed. So it is copied, with its number and its life, into a new file of a new life; once that
 * file is durable, everything that this function returns is. From then on no older file can speak about that
 * commit or a later one, whatever a failing device still completes. If the medium took the newest files or all of them,
 * the new file also says what is found in segments that only those knew.
 */
export async function recoverJournal(env: LogEnvironment): Promise<Journal> {
  const spares = new Spares(env);
  await env.disk.makeFolder(journalFolder);
  const files = await listJournalFiles(env);
  const newest = files.at(-1);
  const replayed = newest === undefined ? emptyJournal() : await replayNewestFile(env.disk, newest);
  for (const lost of replayed.damage) {
    env.logger.error(
      { file: newest?.path, ...lost },
      'the medium damaged commits of the journal, and their records are lost; replace the card soon',
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
  const recovered = { state, files: [...files, open.file], open, losses };
  return new Journal(env, spares, { ...recovered, lastCommit: lastCommit + adoptions.length });
}

/** Recoveries of a running log, which may fail and are tried again. */
export class RecoveryAttempts {
  /** How many have failed. */
  failed = 0;
  /** Whether one is under way: it waits for the disk. */
  isUnderWay = false;

  /** Makes one; its errors are those of `recoverJournal`. */
  async make(env: LogEnvironment): Promise<Journal> {
    this.isUnderWay = true;
    try {
      return await recoverJournal(env);
    } catch (error) {
      this.failed += 1;
      throw error;
    } finally {
      this.isUnderWay = false;
    }
  }
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
