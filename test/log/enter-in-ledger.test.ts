import { describe, expect, test } from 'vitest';
import { OperatingError } from '../../src/core/errors.ts';
import { openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

const refused = {
  topic: 'a',
  partition: 0,
  firstOffset: 1,
  endOffset: 3,
  reason: 'refused',
  cause: 'MESSAGE_TOO_LARGE',
} as const;
const memos = new Map([['aside/a/0', Buffer.from('1-3')]]);

describe('what the mirror enters in the ledger', () => {
  test('is told in the ledger and remembered by the same commit, and leaves the records where they are', async () => {
    const disk = new SimDisk(new SimRandom(1));
    const log = await openLog(disk.session());
    await log.createTopic('a', 1);
    await log.append(['x', 'y', 'z'].map((text) => textRecord('a', text, { partition: 0 })));
    await log.enterInLedger([refused], memos);
    const { commits } = log.stats();
    await log.enterInLedger([{ ...refused, firstOffset: 0, endOffset: 1 }], memos);
    expect(log.stats().commits).toBe(commits + 1);
    await log.close();

    const again = await openLog(disk.session());
    const rows = (await readTexts(again, 'gaps', 0)).map((text) => JSON.parse(text));
    expect(rows).toMatchObject([
      {
        topic: 'a',
        partition: 0,
        firstOffset: 1,
        lastOffset: 2,
        reason: 'refused',
        cause: 'MESSAGE_TOO_LARGE',
      },
      { firstOffset: 0, lastOffset: 0, reason: 'refused' },
    ]);
    expect(Buffer.from(again.memos().get('aside/a/0') ?? []).toString()).toBe('1-3');
    expect(await readTexts(again, 'a', 0)).toEqual(['x', 'y', 'z']);
    await again.close();
  });

  test('of nothing but memos writes no row', async () => {
    const log = await openLog(new SimDisk(new SimRandom(1)).session());
    await log.enterInLedger([], memos);
    expect(log.topics()).toEqual([]);
    expect(log.memos().size).toBe(1);
    await log.close();
  });

  test('is refused while the log is closed', async () => {
    const log = await openLog(new SimDisk(new SimRandom(1)).session());
    await log.close();
    await expect(log.enterInLedger([refused], memos)).rejects.toThrow(OperatingError);
  });
});
