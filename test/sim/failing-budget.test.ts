import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { textRecord, unmirrored } from '../support/log-on-disk.ts';
import { noFaults, SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { fileBytes, open, settled } from '../support/small-segments.ts';

const budgetBytes = limits.otherFilesBytesMax + 14 * fileBytes;
const isClockSet = (): boolean => true;

/** A record that takes a block of its own in the journal and nearly as much in a segment. */
const largeRecord = (topic: string, index: number) =>
  textRecord(topic, '', { value: new SimRandom(index).bytes(3000) });

describe('on a disk that fails', () => {
  test.each([
    ['in the journal', 'journal'],
    ['in the segments', 'topics'],
  ])('%s, nothing is left behind that does not count', async (_, onlyBelow) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new SimDisk(new SimRandom(seed));
      const log = await open(disk, { retention: { budgetBytes, forwarding: unmirrored, isClockSet } });
      await log.createTopic('a', 1, { segmentBytes: 8000 });
      for (let index = 0; index < 200; index += 1) {
        disk.faults = index % 3 === 0 ? { nameFails: 0.3, folderSyncFails: 0.2, onlyBelow } : noFaults;
        await log.append([largeRecord('a', index)]).catch(() => {});
        if (index % 20 > 0) continue;
        disk.faults = noFaults;
        await settled(disk);
        log.keepHouse();
        await settled(disk);
        expect(disk.usedBytes()).toBeLessThanOrEqual(log.stats().usedBytes - limits.otherFilesBytesMax);
        expect(disk.usedBytes()).toBeLessThanOrEqual(budgetBytes - limits.otherFilesBytesMax);
        const journalFiles = await disk.fork().session().list('journal');
        expect(journalFiles.length).toBeLessThanOrEqual(log.stats().journalFiles + limits.journalSparesMax);
      }
      await log.close();
    }
  });
});
