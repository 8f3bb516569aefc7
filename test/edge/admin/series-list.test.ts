import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { listQuery } from '../../../src/edge/admin/list-query.ts';
import { seriesHistory } from '../../../src/edge/admin/series-history.ts';
import { seriesPage } from '../../../src/edge/admin/series-list.ts';
import { AnomalySite } from '../../support/anomaly-site.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';

let site: AnomalySite;

beforeEach(async () => {
  site = new AnomalySite(new SimDisk(new SimRandom(1)));
  await site.start();
});

const page = (search = '', offset = 0, limit = 50) => seriesPage(site.anomaly, { search, offset, limit });

async function send(sensor: string, ...values: readonly (number | string)[]): Promise<void> {
  for (const value of values) await site.send(sensor, value);
  await site.pass(1_000);
}

describe('the list of series', () => {
  test('has their last values, exactly, with how they came to be and what is wrong', async () => {
    await send('hall', 20.5, 21, 21.123456789);
    await send('boiler', 20, 150);
    await site.pass(30_000);
    const { total, found, series } = page();
    expect([total, found]).toEqual([2, 2]);
    expect(series).toMatchObject([
      {
        name: 'readings:boiler',
        key: 'boiler',
        path: '',
        value: 150,
        readings: 2,
        recent: [20, 150],
        alerts: 1,
        severity: 700,
      },
      { name: 'readings:hall', value: 21.123456789, readings: 3, alerts: 0, severity: null },
    ]);
    expect(series[0]?.timeMs).toBeGreaterThan(0);
  });

  test('is searched whatever the case, and comes in pages that say how many there are', async () => {
    for (let sensor = 10; sensor < 40; sensor += 1) await site.send(`Hall/${sensor}`, 1);
    await site.pass(1_000);
    expect(page('hALL/1', 0, 4)).toMatchObject({ total: 30, found: 10 });
    expect(page('hALL/1', 0, 4).series.map(({ key }) => key)).toEqual([
      'Hall/10',
      'Hall/11',
      'Hall/12',
      'Hall/13',
    ]);
    expect(page('hALL/1', 8, 4).series.map(({ key }) => key)).toEqual(['Hall/18', 'Hall/19']);
    expect(page('cellar')).toEqual({ total: 30, found: 0, series: [] });
  });

  test('has null for a value that is no number', async () => {
    await send('hall', 20, 'NaN');
    expect(page().series).toMatchObject([{ value: null, recent: [20, null] }]);
  });

  test('is no longer than allowed, however much is asked for', () => {
    expect(listQuery({ limit: '999999' }).limit).toBe(limits.listPageMax);
    expect(listQuery({})).toEqual({ search: '', offset: 0, limit: limits.listPageDefault });
  });
});

describe('the history of a series', () => {
  const history = (fromMs: number, sensor = 'hall') => {
    const series = site.anomaly.series().find(({ key }) => key === sensor);
    if (series === undefined) throw new Error(`no series of ${sensor}`);
    return seriesHistory(site.log, site.anomaly, series, fromMs);
  };

  test('is what the log holds of it since then, and of no other', async () => {
    await send('hall', 1);
    await site.pass(60_000);
    await send('cellar', 5);
    await send('hall', 2, 3);
    const all = await history(0);
    expect(all.points.map(([, value]) => value)).toEqual([1, 2, 3]);
    expect(all).toMatchObject({
      name: 'readings:hall',
      readings: 3,
      isCut: false,
      range: { low: null, high: 100 },
    });
    const second = all.points[1]?.[0] ?? 0;
    expect((await history(second)).points.map(([, value]) => value)).toEqual([2, 3]);
    expect((await history(second + 3_600_000)).points).toEqual([]);
  });

  test('is there after a restart as well', async () => {
    await send('hall', 1, 2);
    await site.stop();
    await site.start();
    await send('hall', 3);
    expect((await history(0)).points.map(([, value]) => value)).toEqual([1, 2, 3]);
  });

  test('tells what was wrong and when it was over', async () => {
    await send('hall', 20, 150);
    await site.pass(30_000);
    const open = await history(0);
    expect(open.anomalies).toMatchObject([
      { kind: 'out-of-range', severity: 700, clearedMs: null, isOpen: true },
    ]);
    expect(open.anomalies[0]?.startedMs).toBe(open.points[1]?.[0]);
    for (let count = 0; count < 40; count += 1) {
      await site.send('hall', 20);
      await site.pass(5_000);
    }
    const cleared = (await history(0)).anomalies.find(({ kind }) => kind === 'out-of-range');
    expect(cleared?.isOpen).toBe(false);
    expect(cleared?.clearedMs).toBeGreaterThan(cleared?.startedMs ?? Number.POSITIVE_INFINITY);
    expect((await history(0, 'hall')).anomalies.every(({ id }) => id.length === 16)).toBe(true);
  });
});
