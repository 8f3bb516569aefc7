import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Log } from '../../src/log/log.ts';
import { openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import { noFaults, SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { until, VirtualClock } from '../support/virtual-time.ts';

const id = { client: 'device', packetId: 7 };

async function newLog(): Promise<{ disk: SimDisk; log: Log }> {
  const disk = new SimDisk(new SimRandom(1));
  const log = await openLog(disk.session());
  await log.createTopic('a', 1);
  return { disk, log };
}

async function afterPowerCut(disk: SimDisk): Promise<Log> {
  disk.cutPower();
  return await openLog(disk.session());
}

describe('appendOnce', () => {
  test('stores one record for one open id, whatever is offered under it', async () => {
    const { log } = await newLog();
    expect(await log.appendOnce(textRecord('a', 'x'), id)).toBe(true);
    expect(await log.appendOnce(textRecord('a', 'x'), id)).toBe(false);
    expect(await log.appendOnce(textRecord('a', 'other'), id)).toBe(false);
    expect(await readTexts(log, 'a', 0)).toEqual(['x']);
    expect([...log.openQos2Ids('device')]).toEqual([7]);
    expect([...log.openQos2Ids('other')]).toEqual([]);
    await log.close();
  });

  test('answers a duplicate that comes while the first is in flight when that is durable', async () => {
    const { disk, log } = await newLog();
    const answers: boolean[] = [];
    const all = [1, 2, 3].map(async () => answers.push(await log.appendOnce(textRecord('a', 'x'), id)));
    expect([...log.openQos2Ids('device')]).toEqual([]);
    await Promise.all(all);
    expect(answers).toEqual([true, false, false]);
    const again = await afterPowerCut(disk);
    expect(await readTexts(again, 'a', 0)).toEqual(['x']);
    await again.close();
  });

  test('knows its ids after a power cut, and after the journal went on to other files', async () => {
    const { disk, log } = await newLog();
    await log.appendOnce(textRecord('a', 'x'), id);
    // Each commit takes a block of its own.
    for (let count = 0; count < 20; count += 1) await log.append([textRecord('a', '-')]);
    const again = await afterPowerCut(disk);
    expect(await again.appendOnce(textRecord('a', 'x'), id)).toBe(false);
    const texts = await readTexts(again, 'a', 0);
    expect(texts.filter((text) => text === 'x')).toEqual(['x']);
    await again.close();
  });

  test('refuses what append refuses, and opens no id then', async () => {
    const { log } = await newLog();
    await expect(log.appendOnce(textRecord('nowhere', 'x'), id)).rejects.toMatchObject({
      code: 'unknown-topic',
    });
    const large = textRecord('a', 'x'.repeat(limits.recordBytesMax));
    await expect(log.appendOnce(large, id)).rejects.toMatchObject({ code: 'record-too-large' });
    expect(await log.appendOnce(textRecord('a', 'x'), id)).toBe(true);
    await log.close();
    await expect(log.appendOnce(textRecord('a', 'x'), id)).rejects.toMatchObject({ code: 'log-unavailable' });
  });

  test('stores one record although the first commit fails and is recovered from', async () => {
    for (const faults of [{ syncFails: 1 }, { writeFails: 1 }]) {
      const disk = new SimDisk(new SimRandom(5));
      const logger = { ...silentLogger, error: () => Object.assign(disk, { faults: noFaults }) };
      const log = await openLog(disk.session(), { logger, clock: new VirtualClock() });
      await log.createTopic('a', 1);
      disk.faults = { ...noFaults, ...faults };
      const answers = [1, 2].map(() => log.appendOnce(textRecord('a', 'x'), id));
      expect((await Promise.all(answers)).toSorted()).toEqual([false, true]);
      expect(await log.appendOnce(textRecord('a', 'x'), id)).toBe(false);
      expect(await readTexts(log, 'a', 0)).toEqual(['x']);
      await log.close();
    }
  });
});

describe('release', () => {
  test('makes the id free for another record, also after a power cut', async () => {
    const { disk, log } = await newLog();
    await log.appendOnce(textRecord('a', 'x'), id);
    await log.release(id);
    const again = await afterPowerCut(disk);
    expect(again.openQos2Ids('device').size).toBe(0);
    expect(await again.appendOnce(textRecord('a', 'y'), id)).toBe(true);
    expect(await readTexts(again, 'a', 0)).toEqual(['x', 'y']);
    await again.close();
  });

  test('of an id that is not open writes nothing', async () => {
    const { log } = await newLog();
    const { commits } = log.stats();
    await log.release(id);
    await log.releaseAll('device');
    expect(log.stats().commits).toBe(commits);
    await log.close();
  });

  test('together with what comes before and after it in one commit is in the order of the calls', async () => {
    const { disk, log } = await newLog();
    const answers = await Promise.all([
      log.appendOnce(textRecord('a', 'x'), id),
      log.release(id),
      log.appendOnce(textRecord('a', 'y'), id),
      log.appendOnce(textRecord('a', 'y'), id),
    ]);
    expect(answers).toEqual([true, undefined, true, false]);
    const again = await afterPowerCut(disk);
    expect(await readTexts(again, 'a', 0)).toEqual(['x', 'y']);
    expect([...again.openQos2Ids('device')]).toEqual([7]);
    await again.close();
  });

  test('of all takes what is in flight as well, and leaves other clients alone', async () => {
    const { disk, log } = await newLog();
    await log.appendOnce(textRecord('a', 'other'), { client: 'other', packetId: 7 });
    const appended = log.appendOnce(textRecord('a', 'x'), id);
    await log.releaseAll('device');
    expect(await appended).toBe(true);
    const again = await afterPowerCut(disk);
    expect(again.openQos2Ids('device').size).toBe(0);
    expect([...again.openQos2Ids('other')]).toEqual([7]);
    await again.close();
  });

  test('is refused while the log cannot make it durable, and the id stays open', async () => {
    const disk = new SimDisk(new SimRandom(3));
    const log = await openLog(disk.session(), { clock: new VirtualClock() });
    await log.createTopic('a', 1);
    await log.appendOnce(textRecord('a', 'x'), id);
    disk.faults = { ...noFaults, syncFails: 1, writeFails: 1 };
    const failing = log.append([textRecord('a', 'y')]).catch(() => {});
    await until('the log is unavailable', () => !log.available);
    await expect(log.release(id)).rejects.toMatchObject({ code: 'log-unavailable' });
    await expect(log.releaseAll('device')).rejects.toMatchObject({ code: 'log-unavailable' });
    await expect(log.appendOnce(textRecord('a', 'z'), id)).rejects.toMatchObject({ code: 'log-unavailable' });
    await log.releaseAll('a client without ids');
    expect([...log.openQos2Ids('device')]).toEqual([7]);
    disk.faults = noFaults;
    await until('the log is available', () => log.available);
    await failing;
    await log.release(id);
    await log.close();
  });
});

test('a client whose ids are given up for newer ones is named in the service log', async () => {
  const warned: object[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => warned.push(fields) };
  const disk = new SimDisk(new SimRandom(1));
  const log = await openLog(disk.session(), { logger, journalFileBytes: limits.journalFileBytes });
  await log.createTopic('a', 1);
  const record = textRecord('a', '');
  await log.appendOnce(record, { client: 'absent', packetId: 1 });
  const ids = Array.from({ length: limits.qos2OpenIdsMax - 1 }, (_, index) => index + 1);
  await Promise.all(ids.map((packetId) => log.appendOnce(record, { client: 'busy', packetId })));
  expect(warned).toEqual([]);
  await log.appendOnce(record, { client: 'new', packetId: 1 });
  expect(warned).toEqual([{ client: 'absent' }]);
  disk.cutPower();
  const again = await openLog(disk.session(), { journalFileBytes: limits.journalFileBytes });
  expect(['absent', 'busy', 'new'].map((client) => again.openQos2Ids(client).size)).toEqual([
    0,
    ids.length,
    1,
  ]);
  await again.close();
});
