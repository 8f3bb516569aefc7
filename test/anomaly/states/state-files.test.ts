import { describe, expect, test } from 'vitest';
import type { SavedState, StatesEnd, StatesOf } from '../../../src/anomaly/states/state-file.ts';
import { StateFiles } from '../../../src/anomaly/states/state-files.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';

const of: StatesOf = { logId: '00112233445566778899aabbccddeeff', detection: '1' };

const stateOf = (key: string, nextOffset: number, bytes = 10_000): SavedState => ({
  topic: 'readings',
  partition: 0,
  key,
  path: '',
  nextOffset,
  lastTimeMs: 1_700_000_000_000,
  bytes: Uint8Array.from({ length: bytes }, (_, index) => (index * nextOffset) & 0xff),
});

const endAt = (offset: number): StatesEnd[] => [{ topic: 'readings', partition: 0, offset }];
const confirmed = { all: false, confirm: async () => {} };

const newDisk = (): SimDisk => new SimDisk(new SimRandom(1));

async function open(disk: SimDisk, statesOf = of) {
  const files = new StateFiles(disk.session(), statesOf);
  return { files, loaded: await files.load() };
}

describe('saved detector states', () => {
  test('come back as they were, those of each series that were saved last', async () => {
    const disk = newDisk();
    const { files, loaded } = await open(disk);
    expect(loaded).toEqual({ states: [], ends: [] });
    const many = Array.from({ length: 300 }, (_, index) => stateOf(`sensor ${index}`, index));
    await files.save(many, endAt(300), confirmed);
    await files.save([stateOf('sensor 7', 400)], endAt(400), confirmed);
    expect(files.count).toBe(2);
    disk.cutPower();
    const again = await open(disk);
    expect(again.loaded.ends).toEqual(endAt(400));
    expect(again.loaded.states).toHaveLength(300);
    expect(again.loaded.states.find(({ key }) => key === 'sensor 7')).toEqual(stateOf('sensor 7', 400));
    expect(again.loaded.states.find(({ key }) => key === 'sensor 8')).toEqual(stateOf('sensor 8', 8));
    expect(again.files.bytes).toBe(files.bytes);
  });

  test('are in one file when all are saved', async () => {
    const disk = newDisk();
    const { files } = await open(disk);
    for (let offset = 1; offset < 4; offset += 1)
      await files.save([stateOf('a', offset)], endAt(offset), confirmed);
    await files.save([stateOf('a', 9)], endAt(9), { ...confirmed, all: true });
    expect(files.count).toBe(1);
    expect(await disk.session().list('anomaly')).toHaveLength(1);
    expect((await open(disk)).loaded).toEqual({ states: [stateOf('a', 9)], ends: endAt(9) });
  });

  test('do not count before they are confirmed', async () => {
    const disk = newDisk();
    const { files } = await open(disk);
    await files.save([stateOf('a', 1)], endAt(1), confirmed);
    const refused = files.save([stateOf('a', 2)], endAt(2), {
      all: true,
      confirm: () => Promise.reject(new Error('not yet')),
    });
    await expect(refused).rejects.toThrow('not yet');
    const again = await open(disk);
    expect(again.loaded).toEqual({ states: [stateOf('a', 1)], ends: endAt(1) });
    await again.files.save([stateOf('a', 3)], endAt(3), confirmed);
    expect((await open(disk)).loaded.ends).toEqual(endAt(3));
  });

  test('take no room once a save has failed', async () => {
    const disk = newDisk();
    const { files } = await open(disk);
    disk.budgetBytes = 25_000;
    const many = Array.from({ length: 300 }, (_, index) => stateOf(`sensor ${index}`, index));
    await expect(files.save(many, endAt(300), confirmed)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await disk.session().list('anomaly')).toEqual([]);
  });

  test('of another log or of other detectors are gone', async () => {
    const disk = newDisk();
    const { files } = await open(disk);
    await files.save([stateOf('a', 1)], endAt(1), confirmed);
    expect((await open(disk, { ...of, detection: '2' })).loaded.states).toEqual([]);
    expect((await open(disk)).loaded.states).toEqual([]);
    expect(await disk.session().list('anomaly')).toEqual([]);
  });

  test('survive a power cut at any write of the next save, whole or not at all', async () => {
    let outcomes = new Set<number>();
    for (let cut = 1; cut <= 12; cut += 1) {
      const disk = new SimDisk(new SimRandom(cut));
      const { files } = await open(disk);
      await files.save([stateOf('a', 1)], endAt(1), confirmed);
      const died = disk.dieAfter(cut);
      const saved = files.save([stateOf('a', 2), stateOf('b', 2)], endAt(2), { ...confirmed, all: true });
      await Promise.race([died, saved]);
      disk.cutPower();
      const { loaded } = await open(disk);
      const [end] = loaded.ends;
      expect(loaded.states.map(({ nextOffset }) => nextOffset)).toEqual(end?.offset === 2 ? [2, 2] : [1]);
      outcomes = outcomes.add(end?.offset ?? 0);
    }
    expect([...outcomes].sort()).toEqual([1, 2]);
  });

  test('that are damaged are left out, with what is behind them in their file', async () => {
    const disk = newDisk();
    const { files } = await open(disk);
    await files.save([stateOf('a', 1), stateOf('b', 1)], endAt(1), confirmed);
    await files.save([stateOf('b', 2)], endAt(2), confirmed);
    const session = disk.session();
    const [first = ''] = [...(await session.list('anomaly'))].sort();
    const file = await session.open(`anomaly/${first}`);
    await file.writeAt(Uint8Array.of(1, 2, 3), 500);
    // What was only in the damaged one is to be learned again, from where all is known by the files before it.
    expect((await open(disk)).loaded).toEqual({ states: [stateOf('b', 2)], ends: [] });
    expect(await disk.session().list('anomaly')).toHaveLength(1);
  });

  test('are read past what is none of them, and past what the disk does not let be read', async () => {
    const disk = newDisk();
    const { files } = await open(disk);
    await files.save([stateOf('a', 1)], endAt(1), confirmed);
    await (await disk.session().create('anomaly/12 copy.states')).close();
    const session = disk.session();
    const list = async () => ['0000000001.states', '0000000002.states', '12 copy.states'];
    const again = new StateFiles({ ...session, list }, of);
    expect(await again.load()).toEqual({ states: [stateOf('a', 1)], ends: endAt(1) });
  });
});
