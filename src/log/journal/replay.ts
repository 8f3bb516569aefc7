import type { ReadableDisk } from '../../core/disk.ts';
import { assert } from '../../core/errors.ts';
import { malformed } from '../encoding/bytes.ts';
import { decodeEntries } from '../state/entries.ts';
import { LogState } from '../state/state.ts';
import { frameEntries, releaseEntries } from './frame.ts';
import { type JournalFile, lifeOfFrame, readFileHeader } from './journal-files.ts';
import { type LocatedFrame, type ScanEnd, scanFile, scanRange } from './scan.ts';

/** What the newest file says. */
export interface Replayed extends ScanEnd {
  readonly state: LogState;
  /** Snapshot of the state before the last frame. */
  readonly before: Uint8Array;
  readonly last: LocatedFrame | undefined;
}

/** What is said where there is no file. */
export function emptyJournal(): Replayed {
  const state = new LogState();
  const end = { position: 0, commitNumber: 1 };
  return { state, before: state.snapshot(), last: undefined, damage: [], end };
}

/**
 * What the journal says, found without changing anything. The newest file's snapshot says everything about the older
 * ones, so only its own frames are read.
 */
export async function replayNewestFile(disk: ReadableDisk, file: JournalFile): Promise<Replayed> {
  const { header } = file;
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
  // Each frame waits for the next one: the state before the last one is asked for, too.
  let last: LocatedFrame | undefined;
  const { damage, end } = await scanFile(disk, file.path, scanRange(file), (located) => {
    if (last !== undefined) apply(last);
    last = { ...located, frame: { ...located.frame, stored: Uint8Array.from(located.frame.stored) } };
  });
  const before = state.snapshot();
  if (last !== undefined) apply(last);
  return { state, before, last, damage, end };
}
