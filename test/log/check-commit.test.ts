import { expect, test } from 'vitest';
import { openOn, received, told } from '../support/log-on-machine.ts';
import { noFaults } from '../support/sim-disk.ts';
import { SimMachine } from '../support/sim-machine.ts';
import { appendTexts, commitsPerFile, newDisk, open, served, settled } from '../support/small-segments.ts';

test('a check is one write and one sync, and nobody sees anything of it but the count of commits', async () => {
  const disk = newDisk();
  const log = await open(disk, { journalFileBytes: 256 * 1024 });
  await log.createTopic('a', 1);
  await appendTexts(log, 3);
  await settled(disk);
  const before = {
    ...disk.counts,
    partitions: log.partitions(),
    memos: log.memos(),
    served: await served(log),
  };
  const { commits } = log.stats();
  await log.checkCommit();
  expect(log.stats().commits).toBe(commits + 1);
  const after = {
    ...disk.counts,
    partitions: log.partitions(),
    memos: log.memos(),
    served: await served(log),
  };
  expect(after).toEqual({ ...before, writes: before.writes + 1, fdatasync: before.fdatasync + 1 });
  await log.close();
});

test('a check that comes with records costs no commit of its own', async () => {
  const disk = newDisk();
  const log = await open(disk);
  await log.createTopic('a', 1);
  await settled(disk);
  const { commits } = log.stats();
  await Promise.all([appendTexts(log, 1), log.checkCommit()]);
  expect(log.stats().commits).toBe(commits + 1);
  await log.close();
});

test('checks among records, sealing and power cuts change nothing, and the journal stays small', async () => {
  const disk = newDisk();
  const texts: string[] = [];
  for (let run = 0; run < 4; run += 1) {
    const log = await open(disk);
    if (run === 0) await log.createTopic('a', 1);
    for (let round = 0; round < 3 * commitsPerFile; round += 1) {
      const checks = Array.from({ length: 1 + (round % 3) }, () => log.checkCommit());
      const [appended] = await Promise.all([appendTexts(log, 1, `${run}.${round}`), ...checks]);
      texts.push(...appended);
    }
    for (let count = 0; count < 10 * commitsPerFile; count += 1) await log.checkCommit();
    await settled(disk);
    expect(log.stats().journalFiles).toBeLessThanOrEqual(4);
    expect(await served(log)).toEqual({ 'a-0': texts.map((text, offset) => `${offset} ${text}`) });
    if (run % 2 === 0) disk.cutPower();
    else await log.close();
  }
});

test('a check begins no clock epoch: that is for records', async () => {
  const disk = newDisk();
  const machine = new SimMachine();
  machine.reboot(3_600_000);
  // Upkeep tells of the clock whenever a file is full.
  const log = await openOn(machine, disk, { journalFileBytes: 256 * 1024 });
  await log.createTopic('a', 1);
  await log.append([received(machine, 'x')]);
  await settled(disk);
  const epochs = await told(log);
  machine.setClock();
  for (let count = 0; count < 3; count += 1) await log.checkCommit();
  await settled(disk);
  expect(await told(log)).toEqual(epochs);
  await log.append([received(machine, 'y')]);
  await settled(disk);
  expect((await told(log)).length).toBeGreaterThan(epochs.length);
  await log.close();
});

test('a check is refused while the journal cannot be recovered, and the one that failed succeeds afterwards', async () => {
  const disk = newDisk();
  const log = await open(disk);
  await log.createTopic('a', 1);
  await settled(disk);
  disk.faults = { syncFails: 1, writeFails: 1, nameFails: 1 };
  const failed = log.checkCommit();
  await expect.poll(() => log.available).toBe(false);
  await expect(log.checkCommit()).rejects.toMatchObject({ code: 'log-unavailable' });
  disk.faults = noFaults;
  // Nobody was told that it is durable: it is committed anew.
  await failed;
  await log.checkCommit();
  await log.close();
  await expect(log.checkCommit()).rejects.toMatchObject({ code: 'log-unavailable' });
});
