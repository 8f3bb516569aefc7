import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { ProgressBar, progressText } from '../../../src/edge/cli/progress-bar.ts';
import { Output } from '../../../src/edge/cli/terminal.ts';
import { NodeDisk } from '../../../src/platform/node-disk.ts';
import { neverSeal, openLog, textRecord } from '../../support/log-on-disk.ts';
import { damage, pathsIn } from '../../support/stored-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { session } from './fake-gateway.ts';

const block = limits.journalBlockBytes;

/** A data folder with two journal files: six records of a topic, one a commit, of which the last two are in the second. */
async function storedFolder(path: string): Promise<{ disk: NodeDisk; journal: readonly string[] }> {
  const disk = new NodeDisk(path);
  const log = await openLog(disk, { journalFileBytes: 6 * block, sealer: neverSeal });
  await log.createTopic('a', 1);
  for (let index = 0; index < 6; index += 1) await log.append([textRecord('a', `${index}`)]);
  await log.close();
  const journal = (await pathsIn(disk, 'journal')).filter((name) => name.endsWith('.journal'));
  expect(journal).toHaveLength(2);
  return { disk, journal };
}

const verify = (path: string, ...words: string[]) =>
  session(['verify', ...words, '--set', `data.dir=${path}`]);

describe('verify', () => {
  test('ends with 0 at a torn tail, which it names: nobody was told of that commit', async () => {
    await using folder = await temporaryFolder();
    const { disk, journal } = await storedFolder(folder.path);
    await damage(disk, journal[1] ?? '', 2 * block + 60);
    const { code, output, errors } = await verify(folder.path);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain(`tail       ${journal[1]} at byte ${2 * block}: tail cut at 7.`);
    expect(output).toMatch(/\nnothing is lost or damaged: 5 records in 1 partition, 0\.0 MiB checked\n$/);
    expect(JSON.parse((await verify(folder.path, '--json')).output)).toMatchObject({
      isSound: true,
      tornTail: { file: journal[1], position: 2 * block, commitNumber: 7 },
    });
  });

  test('names what a file without a header still holds', async () => {
    await using folder = await temporaryFolder();
    const { disk, journal } = await storedFolder(folder.path);
    await damage(disk, journal[0] ?? '', 50);
    const { code, output } = await verify(folder.path);
    expect(code).toBe(1);
    expect(output).toContain('LOST       a-0 offsets 0 to 3\n');
    expect(output).toContain(
      `DAMAGED    ${journal[0]} at byte 0 (${6 * block} bytes): its header is damaged`,
    );
    expect(output).toContain(
      `set aside  ${journal[0]} (${6 * block} bytes); to be read in it, with headwater dump: a-0 offsets 0 to 3`,
    );
  });

  test('warns of a start where no file says any more what the log held', async () => {
    await using folder = await temporaryFolder();
    const { disk, journal } = await storedFolder(folder.path);
    for (const path of journal) await damage(disk, path, 50);
    const { code, output } = await verify(folder.path);
    expect(code).toBe(1);
    expect(output).toContain('keep a copy of the data folder before a gateway starts on it');
    const consumed = await session(['consume', 'a', '--from-beginning', '--set', `data.dir=${folder.path}`]);
    expect(consumed).toMatchObject({ code: 1, errors: expect.stringContaining('headwater verify says') });
  });
});

describe('a progress bar', () => {
  const bytes = 512 * 1024 ** 2;

  test('says how far it is and how long it will take at the rate so far', () => {
    expect(progressText(0, bytes, 0)).toBe('[........................]   0 %  0.0 of 512.0 MiB');
    expect(progressText(bytes / 4, bytes, 10_000)).toBe(
      '[######..................]  25 %  128.0 of 512.0 MiB, 30 s left',
    );
    expect(progressText(bytes, bytes, 40_000)).toBe(
      '[########################] 100 %  512.0 of 512.0 MiB, 0 s left',
    );
    expect(progressText(0, 0, 0)).toContain('100 %');
  });

  test.each([true, false])('is drawn now and then, and taken away, on a terminal only: %s', async (isTTY) => {
    const stream = Object.assign(new PassThrough(), { isTTY });
    let nowMs = 0;
    const bar = new ProgressBar(new Output(stream), () => nowMs);
    for (; nowMs < 2 * limits.progressIntervalMs; nowMs += 1) await bar.show(nowMs, 1000);
    await bar.clear();
    stream.end();
    const drawn = (await text(stream)).split('\r').slice(1);
    expect(drawn).toEqual(isTTY ? [expect.any(String), expect.any(String), '\u001b[K'] : []);
  });
});
