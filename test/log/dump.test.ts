import { describe, expect, test } from 'vitest';
import type { Disk } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import { clockEpochEntry } from '../../src/log/clock/clock-entry.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';
import { dumpJournal, type JournalPiece } from '../../src/log/journal/dump-journal.ts';
import { readWholeFile } from '../../src/log/journal/journal-files.ts';
import { dumpSegment, type SegmentDumpPiece } from '../../src/log/segments/dump-segment.ts';
import {
  checkpointEntry,
  type Entry,
  lifeEntry,
  logStartMoveEntry,
  partitionStateEntry,
  qos2IdEntry,
  qos2ReleaseEntry,
  sealedOffsetEntry,
  segmentEntry,
  topicDeletionEntry,
  topicSettingEntry,
} from '../../src/log/state/entries.ts';
import { EntryReader } from '../../src/log/state/entry-words.ts';
import { neverSeal } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { damage, pathsIn, storedFolder } from '../support/stored-folder.ts';

const block = limits.journalBlockBytes;

/** Pieces follow on each other from the first byte to the last. */
function expectWhole(pieces: readonly { position: number; sizeBytes: number }[], sizeBytes: number): void {
  let end = 0;
  for (const piece of pieces) {
    expect(piece.position).toBe(end);
    end += piece.sizeBytes;
  }
  expect(end).toBe(sizeBytes);
}

const wordsOf = (pieces: readonly JournalPiece[]): string[] =>
  pieces.map((piece) => {
    if (piece.kind === 'gap') return piece.isZero ? 'zeros' : 'gap';
    const words = piece.entries.map((entry) => entry.words).join('; ');
    return piece.kind === 'header' ? `header: ${words}` : `${piece.frame.commitNumber}: ${words}`;
  });

async function journalBytes(which: number): Promise<Uint8Array> {
  const folder = await storedFolder(new SimDisk(new SimRandom(1)), 4, { sealer: neverSeal });
  const paths = (await pathsIn(folder, 'journal')).filter((path) => path.endsWith('.journal'));
  return await readWholeFile(folder, paths.at(which) ?? '');
}

describe('a dump of a journal file', () => {
  test('shows header, commits with what is in them, and what is empty', async () => {
    const bytes = await journalBytes(-1);
    const pieces = [...dumpJournal(bytes)];
    expectWhole(pieces, bytes.length);
    expect(wordsOf(pieces)).toEqual([
      expect.stringMatching(/^header: topic a \(number 1\), partitions 2.*a-0: log start 0.*next offset 2/),
      '6: a-0: records 2 to 2',
      '7: a-1: records 2 to 2',
      '8: a-0: records 3 to 3',
      '9: a-1: records 3 to 3',
      'zeros',
    ]);
    const batches = pieces.flatMap((piece) => (piece.kind === 'frame' ? piece.entries : []));
    expect(decodeBatch(batches[2]?.batch ?? new Uint8Array()).map(({ value }) => `${value}`)).toEqual([
      '0:3',
    ]);
  });

  test('shows the whole commits of one whose header or one of whose commits is damaged', async () => {
    const bytes = Buffer.from(await journalBytes(-1));
    bytes.fill(0xee, 2 * block + 20, 2 * block + 30);
    expect(wordsOf([...dumpJournal(bytes)])).toEqual([
      expect.stringContaining('header'),
      '6: a-0: records 2 to 2',
      'gap',
      '8: a-0: records 3 to 3',
      '9: a-1: records 3 to 3',
      'zeros',
    ]);
    bytes.fill(0xee, 0, 20);
    const headless = [...dumpJournal(bytes)];
    expectWhole(headless, bytes.length);
    expect(wordsOf(headless).slice(0, 2)).toEqual(['gap', '6: topic number 1-0: records 2 to 2']);
    expect(headless[1]).toMatchObject({ isOfThisFile: true });
  });

  test('tells commits apart that an earlier use of the file has left', async () => {
    const bytes = Buffer.from(await journalBytes(-1));
    const earlier = await journalBytes(0);
    bytes.set(earlier.subarray(5 * block), 5 * block);
    const frames = [...dumpJournal(bytes)].filter((piece) => piece.kind === 'frame');
    expect(frames.map(({ isOfThisFile }) => isOfThisFile)).toEqual([true, true, true, true, false]);
  });

  test('fails on no bytes whatever', async () => {
    const random = new SimRandom(7);
    const whole = await journalBytes(-1);
    for (let round = 0; round < 300; round += 1) {
      const bytes = Buffer.from(whole.subarray(0, 1 + random.below(whole.length)));
      for (let flips = random.below(20); flips > 0; flips -= 1)
        bytes[random.below(bytes.length)] = random.below(256);
      const pieces = [...dumpJournal(bytes)];
      expectWhole(pieces, Math.max(bytes.length, pieces[0]?.sizeBytes ?? 0));
    }
  });
});

test('every entry has words, in the names that entries before it gave, and one of a later version too', () => {
  const id = { topicNumber: 1, partition: 0 };
  const settings = { priority: 7 };
  const epoch = { ordinal: 5, bootId: 'cd'.repeat(16), settingMs: 1, startedMs: 2, isTold: false };
  const segment = { id, baseOffset: 4, endOffset: 9, sizeBytes: 300, maxTimestampMs: 5 };
  const entries: readonly (readonly [Entry, string])[] = [
    [topicSettingEntry({ topicNumber: 1, name: 'a', partitions: 2, settings }), 'settings {"priority":7}'],
    [partitionStateEntry({ id, logStartOffset: 4, sealedOffset: 9, nextOffset: 12 }), 'a-0: log start 4'],
    [segmentEntry(segment), 'a-0: segment with offsets 4 to 8, 300 bytes'],
    [sealedOffsetEntry({ id, sealedOffset: 9 }), 'a-0: in segments below 9'],
    [logStartMoveEntry({ id, logStartOffset: 5 }), 'a-0: log start moves to 5'],
    [
      lifeEntry({ ordinal: 3, lifeId: 'ab'.repeat(16), starts: [{ id, firstOffset: 7 }] }),
      `life 3 (${'ab'.repeat(16)}): a-0 from 7`,
    ],
    [
      clockEpochEntry({ ...epoch, isSet: true, shiftMs: 0, starts: [] }),
      `clock epoch 5 (boot ${'cd'.repeat(16)}), set`,
    ],
    [clockEpochEntry({ ...epoch, isSet: false, shiftMs: null, starts: [] }), 'not set, stamps as they are'],
    [
      clockEpochEntry({ ...epoch, isSet: false, shiftMs: -7, starts: [{ id, firstOffset: 8 }] }),
      'not set, stamps move by -7 ms, a-0 from 8',
    ],
    [qos2IdEntry({ client: 'c', packetIds: [1, 2] }), 'client "c" open: 1 2'],
    [qos2ReleaseEntry({ client: 'c', packetIds: [] }), 'client "c" released: all'],
    [checkpointEntry({ key: 'k', value: Buffer.from('v') }), 'the mirror keeps "k": "v"'],
    [topicDeletionEntry(1), 'topic a is deleted'],
    [{ kind: 99, bytes: new Uint8Array(3) }, 'of kind 99, which this version does not know, 3 bytes'],
  ];
  const reader = new EntryReader();
  for (const [entry, words] of entries) expect(reader.describe(entry).words).toContain(words);
});

describe('a dump of a segment', () => {
  async function segment(): Promise<{ folder: Disk; path: string; dump: () => Promise<SegmentDumpPiece[]> }> {
    const folder = await storedFolder(new SimDisk(new SimRandom(1)), 60);
    const [path = ''] = await pathsIn(folder, 'topics/a-0');
    const dump = async () => {
      const file = await folder.open(path);
      const pieces: SegmentDumpPiece[] = [];
      for await (const piece of dumpSegment(file)) pieces.push(piece);
      expectWhole(pieces, await file.size());
      return pieces;
    };
    return { folder, path, dump };
  }
  const short = (pieces: readonly SegmentDumpPiece[]) =>
    pieces.map((piece) =>
      piece.kind === 'gap' ? 'gap' : `${piece.header.baseOffset}${piece.isIntact ? '' : ' WRONG'}`,
    );

  test('shows each batch, also one with a wrong checksum, and goes on behind what is none', async () => {
    const { folder, path, dump } = await segment();
    const whole = await dump();
    const bases = short(whole);
    expect(bases.length).toBeGreaterThan(2);
    expect(bases[0]).toBe('0');
    const second = whole[1]?.position ?? 0;
    await damage(folder, path, second + 70);
    expect(short(await dump())).toEqual([bases[0], `${bases[1]} WRONG`, ...bases.slice(2)]);
    await damage(folder, path, second + 16);
    expect(short(await dump())).toEqual([bases[0], 'gap', ...bases.slice(2)]);
    await damage(folder, path, second + 8, 4);
    expect(short(await dump())).toEqual([bases[0], 'gap', ...bases.slice(2)]);
  });
});
