import { describe, expect, test } from 'vitest';
import type { JournalFile, PartitionMark } from '../../src/log/journal/journal-files.ts';
import { countSealedFiles, marksAfter } from '../../src/log/journal/journal-files.ts';
import { countUnsealed, planSeal } from '../../src/log/segments/seal-plan.ts';
import { partitionStateEntry, topicSettingEntry } from '../../src/log/state/entries.ts';
import { LogState } from '../../src/log/state/state.ts';
import { readFiles, writeFiles } from '../support/disk-files.ts';
import { neverSeal, readTexts } from '../support/log-on-disk.ts';
import { appendTexts, commitsPerFile, newDisk, open } from '../support/small-segments.ts';

const key = '1/0';

/** A file with these commits, before which the partition stood so. */
function file(firstCommit: number, endCommit: number, nextOffset: number, sealedOffset = 0): JournalFile {
  const mark: PartitionMark = { nextOffset, sealedOffset };
  return {
    path: `journal/${firstCommit}`,
    header: { firstCommit, salt: new Uint8Array(8) } as JournalFile['header'],
    startPosition: 4096,
    endCommit,
    marks: new Map([[key, mark]]),
    isGone: false,
    index: undefined,
  };
}

function stateAt(nextOffset: number): LogState {
  const state = new LogState();
  const id = { topicNumber: 1, partition: 0 };
  state.apply(topicSettingEntry({ topicNumber: 1, name: 'a', partitions: 1, settings: {} }), undefined, '1');
  state.apply(partitionStateEntry({ id, logStartOffset: 0, sealedOffset: 0, nextOffset }), undefined, '1');
  return state;
}

const newest = (firstCommit: number, nextOffset: number): JournalFile =>
  file(firstCommit, Number.POSITIVE_INFINITY, nextOffset);

describe('a journal file none of whose commits count any more', () => {
  test('is not sealed, again and again, for what its own history had reached', () => {
    // The medium has gone back to commit 1: both files before it are of a history that is no more.
    const files = [file(11, 1, 0), file(21, 1, 3), file(1, 11, 0), newest(11, 0)];
    expect(countUnsealed(stateAt(2), files)).toBe(0);
    expect(planSeal(stateAt(2), files, new Map())).toBeUndefined();
    expect(countSealedFiles(files)).toBe(2);
  });

  test('does not hide what the files beside it hold', () => {
    const files = [file(1, 11, 0), file(21, 11, 9), file(30, 11, 9), newest(11, 5)];
    expect(marksAfter(files, 0).get(key)?.nextOffset).toBe(5);
    expect(marksAfter(files, 2).get(key)?.nextOffset).toBe(5);
    const job = planSeal(stateAt(5), files, new Map());
    expect(job?.partitions).toMatchObject([{ key, fromOffset: 0, endOffset: 5 }]);
    expect(countSealedFiles(files)).toBe(0);
  });
});

test('a header that an earlier use of the file has left under its new number is damage', async () => {
  const disk = newDisk();
  const log = await open(disk, { sealer: neverSeal });
  await log.createTopic('a', 1);
  const texts = await appendTexts(log, 4 * commitsPerFile);
  await log.close();
  const files = await readFiles(disk.session(), 'journal');
  const numbered = [...files.keys()].filter((path) => path.endsWith('.journal')).sort();
  const [oldest = '', last = ''] = [numbered[0], numbered.at(-1)];
  const next = last.replace(/\d{20}/, (digits) => String(Number(digits) + 1).padStart(20, '0'));
  await writeFiles(disk.session(), new Map([[next, files.get(oldest) ?? Buffer.alloc(0)]]));
  const again = await open(disk, { sealer: neverSeal });
  expect(await readTexts(again, 'a', 0)).toEqual(texts);
  await again.close();
  expect(await disk.session().list('quarantine')).toEqual([next.slice('journal/'.length)]);
});
