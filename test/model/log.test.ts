import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Log } from '../../src/log/log.ts';
import { openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

/** The log as plain arrays: for each topic its partitions, for each of them the texts. */
interface Model {
  readonly topics: Map<string, string[][]>;
  sent: number;
}

interface Real {
  readonly disk: SimDisk;
  log: Log;
}

type Command = fc.AsyncCommand<Model, Real>;

const names = ['a', 'b', 'c'] as const;

class Append implements Command {
  readonly name: string;
  readonly places: readonly number[];

  constructor(name: string, places: readonly number[]) {
    this.name = name;
    this.places = places;
  }

  check = () => true;

  async run(model: Model, real: Real): Promise<void> {
    const partitions = model.topics.get(this.name);
    const records = this.places.map((place) => {
      model.sent += 1;
      const partition = place % (partitions?.length ?? 1);
      return textRecord(this.name, `${model.sent}`.padEnd(place * 40, '.'), { partition });
    });
    const appended = real.log.append(records);
    if (partitions === undefined)
      return await expect(appended).rejects.toMatchObject({ code: 'unknown-topic' });
    const expected = records.map(({ partition, value }) => {
      const texts = partitions[partition ?? 0] ?? [];
      return { partition, offset: texts.push(String(value)) - 1 };
    });
    expect(await appended).toEqual(expected);
  }

  toString = () => `append(${this.name}, ${this.places.join(' ')})`;
}

class SetTopic implements Command {
  readonly name: string;
  readonly partitions: number;
  readonly grow: boolean;

  constructor(name: string, partitions: number, grow: boolean) {
    this.name = name;
    this.partitions = partitions;
    this.grow = grow;
  }

  check = () => true;

  async run(model: Model, real: Real): Promise<void> {
    const known = model.topics.get(this.name);
    if (this.grow) await real.log.growTopic(this.name, this.partitions);
    else if (known === undefined) await real.log.createTopic(this.name, this.partitions);
    else
      await expect(real.log.createTopic(this.name, this.partitions)).rejects.toMatchObject({
        code: 'topic-exists',
      });
    if (known !== undefined && !this.grow) return;
    const texts = known ?? [];
    while (texts.length < this.partitions) texts.push([]);
    model.topics.set(this.name, texts);
  }

  toString = () => `${this.grow ? 'grow' : 'create'}(${this.name}, ${this.partitions})`;
}

class Read implements Command {
  readonly name: string;
  readonly place: number;
  readonly bytesMax: number;

  constructor(name: string, place: number, bytesMax: number) {
    this.name = name;
    this.place = place;
    this.bytesMax = bytesMax;
  }

  check = (model: Readonly<Model>) => model.topics.has(this.name);

  async run(model: Model, real: Real): Promise<void> {
    const partitions = model.topics.get(this.name) ?? [];
    const partition = this.place % partitions.length;
    const texts = partitions[partition] ?? [];
    const offset = this.place % (texts.length + 1);
    expect(await readTexts(real.log, this.name, partition, offset, this.bytesMax)).toEqual(
      texts.slice(offset),
    );
  }

  toString = () => `read(${this.name}, ${this.place}, ${this.bytesMax})`;
}

const ends = {
  close: async ({ log }: Real) => await log.close(),
  kill: () => {},
  'power cut': ({ disk }: Real) => disk.cutPower(),
};

class Reopen implements Command {
  readonly end: keyof typeof ends;

  constructor(end: keyof typeof ends) {
    this.end = end;
  }

  check = () => true;

  async run(model: Model, real: Real): Promise<void> {
    const { logId } = real.log;
    await ends[this.end](real);
    real.log = await openLog(real.disk.session());
    expect(real.log.logId).toBe(logId);
    const expected = [...model.topics].map(([name, texts]) => ({
      name,
      partitions: texts.length,
      settings: {},
    }));
    expect(real.log.topics()).toEqual(expected);
    const marks = new Map(
      real.log
        .partitions()
        .map(({ topic, partition, highWatermark }) => [`${topic}-${partition}`, highWatermark]),
    );
    for (const [name, partitions] of model.topics)
      for (const [partition, texts] of partitions.entries())
        expect(marks.get(`${name}-${partition}`), `${name}-${partition}`).toBe(texts.length);
  }

  toString = () => `reopen(${this.end})`;
}

const name = fc.constantFrom(...names);
const commands = fc.commands(
  [
    fc
      .tuple(name, fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }))
      .map(([topic, places]) => new Append(topic, places)),
    fc
      .tuple(name, fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }))
      .map(([topic, places]) => new Append(topic, places)),
    fc.tuple(name, fc.integer({ min: 1, max: 4 }), fc.boolean()).map((fields) => new SetTopic(...fields)),
    fc.tuple(name, fc.nat(1000), fc.constantFrom(0, 1, 300, 100_000)).map((fields) => new Read(...fields)),
    fc.constantFrom('close', 'kill', 'power cut').map((end) => new Reopen(end)),
  ],
  { size: 'max', maxCommands: 60 },
);

test('the log behaves as arrays do, whatever ends its lives', async () => {
  await fc.assert(
    fc.asyncProperty(commands, fc.nat(), async (run, seed) => {
      const disk = new SimDisk(new SimRandom(seed));
      const real: Real = {
        disk,
        log: await openLog(disk.session(), { journalFileBytes: 6 * limits.journalBlockBytes }),
      };
      await fc.asyncModelRun(() => ({ model: { topics: new Map(), sent: 0 }, real }), run);
      await real.log.close();
    }),
    { numRuns: 60 },
  );
});
