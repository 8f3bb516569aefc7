import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Checkpoint, extendLives } from '../../src/forwarder/mirror/checkpoint.ts';
import { livesWithin, resumePoint, resumePositions, resumption } from '../../src/forwarder/mirror/resume.ts';
import type { LifeStart } from '../../src/log/types.ts';

const life = (name: string, firstOffset: number): LifeStart => ({ life: name, firstOffset });

describe('the resume point', () => {
  const local = { logStartOffset: 10, highWatermark: 50, lives: [life('A', 10), life('B', 30)] };

  test.each<[string, Checkpoint | null, number, number]>([
    ['the log start without a checkpoint', null, 10, 0],
    ['the log start if the checkpoint is below it', { nextOffset: 9, lives: [life('gone', 0)] }, 10, 9],
    ['the log start if the checkpoint is at it', { nextOffset: 10, lives: [] }, 10, 10],
    [
      'the next offset if the life is known',
      { nextOffset: 40, lives: [life('A', 0), life('B', 30)] },
      40,
      40,
    ],
    ['the local end of a life that went on elsewhere', { nextOffset: 45, lives: [life('A', 0)] }, 30, 30],
    ['the log end if the disk lost what was sent', { nextOffset: 60, lives: [life('B', 30)] }, 50, 50],
    [
      'the start of the life after the newest known one',
      { nextOffset: 60, lives: [life('A', 0), life('X', 20)] },
      20,
      20,
    ],
    ['never below the log start', { nextOffset: 60, lives: [life('A', 0), life('X', 5)] }, 10, 5],
  ])('is %s', (_, checkpoint, offset, arrived) => {
    expect(resumePoint(local, checkpoint)).toEqual({ kind: 'offset', offset, arrived });
  });

  test('is unknown above the log start if no listed life is known', () => {
    const checkpoint = { nextOffset: 11, lives: [life('X', 0), life('Y', 5)] };
    expect(resumePoint(local, checkpoint)).toEqual({ kind: 'unknown-life', life: 'Y' });
    expect(resumePoint(local, { nextOffset: 11, lives: [] })).toEqual({ kind: 'unknown-life', life: null });
  });
});

describe('a checkpoint under our own identity', () => {
  const local = { logStartOffset: 10, highWatermark: 50, lives: [life('A', 10), life('B', 30)] };
  const resume = (own: Checkpoint) =>
    resumption(local, { own, ancestors: [], copy: null }, 'cluster', 'resume');

  test.each<[string, Checkpoint]>([
    ['ends where the life ended here', { nextOffset: 30, lives: [life('A', 0)] }],
    ['ends at the log end', { nextOffset: 50, lives: [life('A', 0), life('B', 30)] }],
    ['ends at the log start, whoever wrote it', { nextOffset: 10, lives: [life('X', 0)] }],
  ])('is ours if it %s', (_, own) => {
    expect(resume(own)).toMatchObject({ kind: 'resumed', nextOffset: own.nextOffset });
  });

  test.each<[string, Checkpoint, string]>([
    ['of a life that is unknown here', { nextOffset: 31, lives: [life('A', 0), life('X', 30)] }, 'X'],
    ['of a life that went on elsewhere', { nextOffset: 31, lives: [life('A', 0)] }, 'A'],
    ['of more than there is', { nextOffset: 51, lives: [life('A', 0), life('B', 30)] }, 'B'],
  ])('is of another history if it tells %s', (_, own, newest) => {
    expect(resume(own)).toEqual({ kind: 'other-history', life: newest });
  });
});

test('both lanes mint from the same life, whichever of them mirrors what', () => {
  const partition = (topic: string, newest: string) => ({
    topic,
    partition: 0,
    logStartOffset: 0,
    highWatermark: 5,
    lives: [life('A', 0)],
    own: { nextOffset: 7, lives: [life(newest, 0)] },
    ancestors: [],
    copy: null,
    asides: [],
  });
  const [one, other] = [partition('a', 'X'), partition('b', 'B')];
  const minted = { kind: 'other-history', life: 'B' };
  expect(resumePositions([one], [other], 'cluster', 'resume')).toEqual(minted);
  expect(resumePositions([other], [one], 'cluster', 'resume')).toEqual(minted);
});

interface Stored {
  readonly id: number;
  readonly life: string;
}

/** A partition, its mirror and its backups, as simple as can be. */
class Model {
  offsets: Stored[] = [];
  logStartOffset = 0;
  lifeName = 'life0';
  #lives = 0;
  #ids = 0;
  checkpoint: Checkpoint | null = null;
  readonly sent: number[] = [];
  backup: { readonly offsets: readonly Stored[]; readonly logStartOffset: number } | null = null;

  get table(): LifeStart[] {
    const table: LifeStart[] = [];
    for (const [index, { life: name }] of this.offsets.entries())
      if (index >= this.logStartOffset && table.at(-1)?.life !== name) table.push(life(name, index));
    return table;
  }

  append(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.offsets.push({ id: this.#ids, life: this.lifeName });
      this.#ids += 1;
    }
  }

  restart(): void {
    this.#lives += 1;
    this.lifeName = `life${this.#lives}`;
  }

  /** Session start; null if it stops. */
  resume(): number | null {
    const { table, logStartOffset, offsets } = this;
    const point = resumePoint(
      { logStartOffset, highWatermark: offsets.length, lives: table },
      this.checkpoint,
    );
    return point.kind === 'offset' ? point.offset : null;
  }

  flush(fromOffset: number, count: number): void {
    const nextOffset = Math.min(fromOffset + count, this.offsets.length);
    if (nextOffset <= fromOffset) return;
    for (const { id } of this.offsets.slice(fromOffset, nextOffset)) this.sent.push(id);
    const lives = extendLives(
      this.checkpoint?.lives ?? [],
      fromOffset,
      livesWithin(this.table, fromOffset, nextOffset),
    );
    this.checkpoint = { nextOffset, lives };
  }
}

type Action =
  | { readonly do: 'append' | 'flush' | 'lie' | 'trim'; readonly count: number }
  | { readonly do: 'restart' | 'backup' | 'restore' };

const counted = (what: 'append' | 'flush' | 'lie' | 'trim', max = 6) =>
  fc.record({ do: fc.constant(what), count: fc.integer({ min: 1, max }) });

function run(actions: readonly Action[], onResume: (model: Model, offset: number) => void): Model {
  const model = new Model();
  for (const action of actions) {
    if (action.do === 'append') model.append(action.count);
    else if (action.do === 'restart') model.restart();
    else if (action.do === 'lie') {
      const kept = Math.max(model.logStartOffset, model.offsets.length - action.count);
      model.offsets = model.offsets.slice(0, kept);
      model.restart();
    } else if (action.do === 'trim') {
      // Retention takes only what a session has found to be forwarded.
      const forwarded = model.resume() ?? model.logStartOffset;
      model.logStartOffset = Math.min(forwarded, model.logStartOffset + action.count);
    } else if (action.do === 'backup')
      model.backup = { offsets: [...model.offsets], logStartOffset: model.logStartOffset };
    else if (action.do === 'restore' && model.backup !== null) {
      model.offsets = [...model.backup.offsets];
      model.logStartOffset = model.backup.logStartOffset;
      model.restart();
    } else if (action.do === 'flush') {
      const offset = model.resume();
      if (offset === null) return model;
      onResume(model, offset);
      model.flush(offset, action.count);
    }
  }
  return model;
}

describe('whatever happened before', () => {
  test('a session never skips a record, also with lying disks and restored backups', () => {
    const action = fc.oneof(
      counted('append'),
      counted('flush', 20),
      counted('lie'),
      counted('trim', 2),
      fc.record({ do: fc.constantFrom('restart', 'backup', 'restore') }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40, size: 'max' }), (actions) => {
        run(actions as Action[], (model, offset) => {
          const sent = new Set(model.sent);
          for (const { id } of model.offsets.slice(model.logStartOffset, offset))
            expect(sent.has(id)).toBe(true);
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('a session sends nothing twice if no disk lied and no backup was restored', () => {
    const action = fc.oneof(
      counted('append'),
      counted('flush'),
      counted('trim'),
      fc.record({ do: fc.constant('restart') }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const model = run(actions as Action[], () => {});
        expect(model.sent).toEqual(model.sent.map((_, index) => index));
      }),
      { numRuns: 1000 },
    );
  });
});
