import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { StateFiles } from '../../src/anomaly/states/state-files.ts';
import { limits } from '../../src/core/limits.ts';
import { AnomalySite } from '../support/anomaly-site.ts';
import { PlainDetection } from '../support/plain-detection.ts';
import { newDisk } from '../support/small-segments.ts';

const second = 1_000;
const minute = 60 * second;

async function started(options: ConstructorParameters<typeof AnomalySite>[1] = {}, disk = newDisk()) {
  const site = new AnomalySite(disk, options);
  await site.start();
  return site;
}

/** A series of which the plain detection knows enough. */
async function known(site: AnomalySite, sensor: string): Promise<void> {
  for (let count = 0; count < 6; count += 1) await site.send(sensor, 20);
  await site.pass(second);
}

const told = async (site: AnomalySite): Promise<readonly string[]> =>
  (await site.verdicts()).map(({ event, kind, series }) => `${event} ${kind} ${series}`);

describe('anomaly detection', () => {
  test('tells what it finds in the log, and says which reading it began with', async () => {
    const site = await started();
    await known(site, 'kitchen');
    await site.send('kitchen', 150);
    await site.pass(second);
    const verdicts = await site.verdicts();
    expect(
      verdicts.map(({ event, kind, series, firstOffset }) => [event, kind, series, firstOffset]),
    ).toEqual([
      ['raised', 'out-of-range', 'readings:kitchen', 6],
      ['raised', 'spike', 'readings:kitchen', 6],
    ]);
    expect(site.anomaly.status()).toMatchObject({ series: 1, readings: 7, lagRecords: 0 });
    for (let count = 0; count < 5; count += 1) {
      await site.pass(20 * second);
      await site.send('kitchen', 20);
    }
    await site.pass(second);
    // To the plain detection what comes after such a value is far from the mean for long.
    expect((await told(site)).slice(2)).toEqual(['cleared out-of-range readings:kitchen']);
    await site.stop();
  });

  test('takes other rules while it runs: bounds count at once, and what nobody is to look at has no alerts', async () => {
    const site = await started();
    await known(site, 'kitchen');
    await known(site, 'cellar');
    for (const sensor of ['kitchen', 'cellar']) await site.send(sensor, 150);
    await site.pass(second);
    expect((await told(site)).filter((line) => line.includes('out-of-range'))).toEqual([
      'raised out-of-range readings:kitchen',
      'raised out-of-range readings:cellar',
    ]);
    site.anomaly.useRules([
      { match: 'readings:kitchen', hints: { max: 1000 } },
      { match: 'readings:cellar', hints: {}, detect: 'off' },
    ]);
    await site.pass(20 * second);
    for (let count = 0; count < 5; count += 1) {
      await site.send('kitchen', 150);
      await site.send('cellar', 150);
      await site.pass(20 * second);
    }
    const after = (await told(site)).filter((line) => line.includes('out-of-range'));
    expect(after.slice(2).sort()).toEqual([
      'cleared out-of-range readings:cellar',
      'cleared out-of-range readings:kitchen',
    ]);
    expect(site.anomaly.status()).toMatchObject({ series: 1 });
    await site.stop();
  });

  test('finds series in what the values of a topic are decoded to, and none where that is nothing', async () => {
    const decoded = (topic: string, value: Uint8Array): Uint8Array | null =>
      topic === 'readings' ? Buffer.from(`{"t":${value.toString().split(';')[1] ?? '"none"'}}`) : null;
    const site = await started({ decoded });
    await site.log.createTopic('others', 1);
    for (const value of [20, 20, 20, 20, 20, 20, 150]) {
      await site.send('kitchen', `t;${value}`);
      await site.send('kitchen', 20, 'others');
    }
    await site.pass(second);
    expect(await told(site)).toEqual([
      'raised out-of-range readings:kitchen:t',
      'raised spike readings:kitchen:t',
    ]);
    expect(site.anomaly.status()).toMatchObject({ series: 1, readings: 7, lagRecords: 0 });
    await site.stop();
  });

  test('does not judge what was there before it was first started, but learns from it', async () => {
    const disk = newDisk();
    const site = new AnomalySite(disk);
    await site.start();
    await site.stop();
    for (const memo of site.log.memos().keys()) expect(memo).toMatch(/^anomaly\//);
    // As if there had been no detection until now.
    const before = await started({ topics: ['none'] }, disk);
    await known(before, 'kitchen');
    await before.send('kitchen', 150);
    await before.pass(second);
    await before.stop();
    const now = await started({}, disk);
    await now.pass(2 * second);
    expect(await told(now)).toEqual([]);
    expect(now.anomaly.status()).toMatchObject({ readings: 7, series: 1 });
    await now.send('kitchen', 90);
    await now.pass(second);
    expect(await told(now)).toEqual(['raised spike readings:kitchen']);
    await now.stop();
  });

  test('reads a topic that is made while it runs from its beginning', async () => {
    const site = await started();
    await site.log.createTopic('air', 1);
    await site.send('hall', 150, 'air');
    await site.pass(second);
    expect(await told(site)).toEqual(['raised out-of-range air:hall']);
    await site.log.deleteTopic('air');
    await site.pass(2 * second);
    expect(site.anomaly.status().series).toBe(0);
    await site.stop();
  });

  test('looks at no topic that the configuration leaves out, and at none of its own', async () => {
    const site = await started({ topics: ['*', '!air'] });
    await site.log.createTopic('air', 1);
    for (const topic of ['air', 'anomalies']) await site.send('hall', 150, topic);
    await site.pass(second);
    expect(site.anomaly.status()).toMatchObject({ series: 0, readings: 0, lagRecords: 0 });
    await site.stop();
  });

  test('clears at the next start what the configuration has it look at no longer', async () => {
    const disk = newDisk();
    const site = await started({ verdictsTopic: 'verdicts' }, disk);
    for (const topic of ['air', 'power', 'verdicts']) await site.log.createTopic(topic, 1);
    for (const topic of ['readings', 'air', 'power']) await site.send('hall', 150, topic);
    const verdict = { model: 'river', series: 'readings:hall', isAnomalous: true };
    await site.send('river', JSON.stringify(verdict), 'verdicts');
    await site.pass(second);
    expect(site.anomaly.list()).toHaveLength(4);
    await site.stop();
    const now = await started(
      { topics: ['*', '!air'], rules: [{ match: 'power:*', hints: {}, detect: 'off' }] },
      disk,
    );
    await now.pass(second);
    expect(now.anomaly.list()).toMatchObject([{ series: 'readings:hall', model: null }]);
    expect((await told(now)).slice(4).toSorted()).toEqual([
      'cleared model readings:hall',
      'cleared out-of-range air:hall',
      'cleared out-of-range power:hall',
    ]);
    await now.stop();
  });

  test('lets changes of alerts be durable before it says so', async () => {
    const disk = newDisk();
    const site = await started({}, disk);
    await site.send('kitchen', 150);
    await site.pass(second);
    const [alert] = site.anomaly.list();
    const news = site.anomaly.news();
    const acknowledged = site.anomaly.acknowledge(alert?.id ?? '', 'Ada');
    await site.pass(second);
    expect(await acknowledged).toMatchObject({ id: alert?.id, acknowledgedBy: 'Ada' });
    expect(news.aborted).toBe(true);
    const shelved = site.anomaly.shelve(alert?.id ?? '', minute);
    await site.pass(second);
    await shelved;
    disk.cutPower();
    await site.start();
    expect(site.anomaly.list()).toEqual([await shelved]);
    const unknown = site.anomaly.unshelve('0123456789abcdef');
    await site.pass(second);
    expect(await unknown).toBeNull();
    expect((await told(site)).map((line) => line.split(' ')[0])).toEqual([
      'raised',
      'acknowledged',
      'shelved',
    ]);
    const late = site.anomaly.acknowledge(alert?.id ?? '', 'Bob');
    await site.stop();
    expect(await late).toMatchObject({ acknowledgedBy: 'Ada' });
    await expect(site.anomaly.unshelve('x')).rejects.toMatchObject({ code: 'log-unavailable' });
  });

  test('waits for a log that refuses, and tells everything once it is back', async () => {
    const site = await started();
    await known(site, 'kitchen');
    await site.send('kitchen', 150);
    site.refuseAppends = true;
    await site.pass(10 * second);
    expect(await told(site)).toEqual([]);
    expect(site.warnings).toHaveLength(1);
    site.refuseAppends = false;
    await site.pass(10 * second);
    expect((await told(site)).toSorted()).toEqual([
      'raised out-of-range readings:kitchen',
      'raised spike readings:kitchen',
    ]);
    await site.stop();
  });

  test('refuses a change of an alert while the log refuses, and changes nothing', async () => {
    const site = await started();
    await site.send('kitchen', 150);
    await site.pass(second);
    const [alert] = site.anomaly.list();
    site.refuseAppends = true;
    await expect(site.anomaly.acknowledge(alert?.id ?? '', 'Ada')).rejects.toMatchObject({
      code: 'log-unavailable',
    });
    site.refuseAppends = false;
    await site.pass(10 * second);
    expect(site.anomaly.list()).toMatchObject([{ acknowledgedBy: null }]);
    await site.stop();
  });

  test('leaves to the next run what a stop came before, also if the log is back in that moment', async () => {
    const site = await started();
    await known(site, 'kitchen');
    await site.send('kitchen', 150);
    site.refuseAppends = true;
    await site.pass(10 * second);
    site.refuseAppends = false;
    site.refusals = 1;
    await site.stop();
    await site.start();
    await site.pass(2 * second);
    expect(await told(site)).toContain('raised out-of-range readings:kitchen');
    await site.stop();
  });

  test('lets others have the event loop while it learns again, however small the batches are that it reads', async () => {
    const disk = newDisk();
    const before = await started({ topics: ['none'] }, disk);
    for (let count = 0; count < 100; count += 1) await before.send('kitchen', 20);
    await before.stop();
    let nowMs = 0;
    let pauses = 0;
    const now = await started(
      {
        clock: {
          wallMs: () => 1_700_000_000_000,
          // Each look takes a millisecond.
          monotonicMs: () => (nowMs += 1),
          sleep: async (ms) => {
            pauses += Number(ms === limits.relearningPauseMs);
            await setImmediate();
          },
        },
      },
      disk,
    );
    for (let turns = 0; turns < 100 && now.anomaly.status().readings < 100; turns += 1) await now.pass(0);
    expect(now.anomaly.status().readings).toBe(100);
    expect(pauses).toBeGreaterThan(100 / limits.anomalySliceMs / 2);
    await now.stop();
  });
});

describe('silence', () => {
  const silentAfterMs = 30 * second;

  test('is told of a whole device at once, and ends with its next reading', async () => {
    const site = await started({ detection: new PlainDetection(silentAfterMs) });
    for (const sensor of ['kitchen', 'attic']) await site.send(sensor, '{"t":20,"h":40}');
    await site.pass(20 * second);
    await site.send('attic', '{"t":20,"h":40}');
    await site.pass(20 * second);
    expect(await told(site)).toEqual(['raised silence readings:kitchen:*']);
    await site.send('kitchen', '{"t":20,"h":40}');
    await site.pass(10 * second);
    expect(await told(site)).toContain('cleared silence readings:kitchen:*');
    await site.stop();
  });

  test('is none if keys have only moved to other partitions because there are more', async () => {
    const site = await started({ detection: new PlainDetection(silentAfterMs) });
    await site.log.createTopic('air', 1);
    const send = async (sensors: readonly string[], seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 10) {
        for (const sensor of sensors) await site.send(sensor, 20, 'air');
        await site.pass(10 * second);
      }
    };
    const sensors = ['a', 'b', 'c', 'd'];
    await send(sensors, 60);
    await site.log.growTopic('air', 3);
    await send(sensors, 120);
    const silences = async () => (await told(site)).filter((line) => line.includes('silence'));
    expect(site.anomaly.status().series).toBeGreaterThan(sensors.length);
    expect(await silences()).toEqual([]);
    await site.stop();
    await site.start();
    await send(sensors.slice(1), 120);
    expect(await silences()).toEqual(['raised silence air:a']);
    await site.stop();
  });

  test('is not that of the gateway: neither while it was off, nor while it refuses readings', async () => {
    const site = await started({ detection: new PlainDetection(silentAfterMs) });
    await site.send('kitchen', 20);
    await site.pass(20 * second);
    await site.stop();
    site.passOff(10 * minute);
    await site.start();
    await site.pass(25 * second);
    expect(await told(site)).toEqual([]);
    site.refuseAppends = true;
    await site.pass(10 * minute, 10 * second);
    site.refuseAppends = false;
    await site.pass(20 * second);
    expect(await told(site)).toEqual([]);
    await site.pass(40 * second);
    expect(await told(site)).toEqual(['raised silence readings:kitchen']);
    await site.stop();
  });
});

describe('other models', () => {
  const verdict = (more: object): string =>
    JSON.stringify({ model: 'river', series: 'readings:kitchen', isAnomalous: true, ...more });

  test('have their verdicts made alerts of their own', async () => {
    const site = await started({ verdictsTopic: 'verdicts' });
    await site.log.createTopic('verdicts', 1);
    await site.send('river', verdict({ score: 0.9, words: ['rare'] }), 'verdicts');
    await site.send('river', 'nonsense', 'verdicts');
    await site.pass(second);
    expect(await told(site)).toEqual(['raised model readings:kitchen']);
    expect(site.anomaly.list()).toMatchObject([{ model: 'river', score: 0.9, words: ['rare'] }]);
    expect(site.warnings).toEqual(['a verdict of a model is left out: it is not JSON']);
    // The service log has one line between two looks for silence, whatever is sent.
    for (let count = 0; count < 50; count += 1) await site.send('river', 'nonsense', 'verdicts');
    await site.pass(10 * second);
    expect(site.warnings.length).toBeLessThan(5);
    expect(site.anomaly.status().series).toBe(0);
    await site.stop();
  });
});

describe('saved states', () => {
  test('that are newer than what all are said to know are not taught the same twice', async () => {
    const disk = newDisk();
    const site = await started({}, disk);
    for (let count = 0; count < 16; count += 1) await site.send('kitchen', 20);
    await site.pass(second);
    await site.stop();
    const { logId } = site.log;
    const files = new StateFiles(disk.session(), { logId, detection: 'plain' });
    const { states, ends } = await files.load();
    expect(states).toMatchObject([{ key: 'kitchen', nextOffset: 16 }]);
    await files.save(
      states,
      ends.map((end) => ({ ...end, offset: 0 })),
      { all: true, confirm: async () => {} },
    );
    await site.start();
    await site.pass(second);
    expect(site.anomaly.status().readings).toBe(0);
    await site.send('kitchen', 20);
    await site.pass(second);
    // The seventeenth reading, and no other, is found by the plain detection.
    expect(await told(site)).toEqual(['raised stuck readings:kitchen']);
    await site.stop();
  });

  test('whose folder cannot be used do not keep the gateway from starting, and it says so', async () => {
    const refuse = () => Promise.reject(Object.assign(new Error('EROFS'), { syscall: 'open' }));
    const site = await started({ disk: { ...newDisk().session(), makeFolder: refuse, create: refuse } });
    expect(site.warnings[0]).toMatch(/^the folder "anomaly" cannot be used/);
    await known(site, 'kitchen');
    await site.send('kitchen', 150);
    await site.pass(second);
    expect(await told(site)).toEqual([
      'raised out-of-range readings:kitchen',
      'raised spike readings:kitchen',
    ]);
    await site.stop();
  });

  test('that know more than the log has told are of another past, and are left out', async () => {
    const disk = newDisk();
    const site = await started({}, disk);
    await known(site, 'kitchen');
    await site.stop();
    const files = new StateFiles(disk.session(), { logId: site.log.logId, detection: 'plain' });
    const { states, ends } = await files.load();
    const ahead = states.map((state) => ({ ...state, nextOffset: state.nextOffset + 100 }));
    await files.save(ahead, ends, { all: true, confirm: async () => {} });
    await site.start();
    await site.pass(second);
    await site.send('kitchen', 150);
    await site.pass(second);
    expect(await told(site)).toEqual(['raised out-of-range readings:kitchen']);
    await site.stop();
  });

  test('take no more than their bytes a day', async () => {
    const bytesPerDay = 24 * 1000;
    const site = await started({ stateBytesPerDay: bytesPerDay, detection: new PlainDetection() });
    const written = site.stateBytesWritten;
    for (let minutes = 0; minutes < 300; minutes += 1) {
      for (const sensor of ['a', 'b', 'c', 'd']) await site.send(sensor, 20);
      await site.pass(minute, minute);
    }
    const hours = 5;
    expect(site.stateBytesWritten - written).toBeLessThan((bytesPerDay / 24) * (hours + 2));
    expect(site.stateBytesWritten - written).toBeGreaterThan((bytesPerDay / 24) * (hours - 1));
    await site.stop();
  });

  test('are saved now and then also if they take more than their bytes a day at once', async () => {
    const site = await started({ stateBytesPerDay: 3000 });
    const written = site.stateBytesWritten;
    const days = 6;
    for (let hours = 0; hours < days * 24; hours += 1) {
      for (const sensor of ['a', 'b', 'c', 'd']) await site.send(sensor, 20);
      await site.pass(60 * minute, 60 * minute);
    }
    expect(site.stateBytesWritten - written).toBeGreaterThan(3000 * (days - 4));
    expect(site.stateBytesWritten - written).toBeLessThan(3000 * (days + 1));
    await site.stop();
  });

  test('that cannot be saved are not tried more often than those that can', async () => {
    let attempts = 0;
    const create = () => {
      attempts += 1;
      return Promise.reject(Object.assign(new Error('ENOSPC'), { syscall: 'write' }));
    };
    const site = await started({ stateBytesPerDay: 24 * 1000, disk: { ...newDisk().session(), create } });
    for (let minutes = 0; minutes < 120; minutes += 1) {
      await site.send('a', 20);
      await site.pass(minute, minute);
    }
    expect(attempts).toBeGreaterThan(1);
    expect(attempts).toBeLessThan(6);
    await site.stop();
  });

  test('are not waited for by the start, however long the disk takes to read them', async () => {
    const disk = newDisk();
    const site = await started({}, disk);
    await known(site, 'kitchen');
    await site.stop();
    const states = newDisk().session();
    const reading = Promise.withResolvers<readonly string[]>();
    const now = await started({ disk: { ...states, list: () => reading.promise } }, disk);
    await now.send('kitchen', 150);
    await now.pass(second);
    expect(now.anomaly.status()).toMatchObject({ readings: 0, lagRecords: 1 });
    reading.resolve([]);
    await now.pass(second);
    await now.pass(second);
    expect(await told(now)).toEqual([
      'raised out-of-range readings:kitchen',
      'raised spike readings:kitchen',
    ]);
    await now.stop();
  });
});
