import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertSubject } from '../../../src/anomaly/alerts/alert.ts';
import { AlertBook } from '../../../src/anomaly/alerts/alert-book.ts';
import { SilenceTree } from '../../../src/anomaly/alerts/silence-tree.ts';
import type { FindingKind } from '../../../src/anomaly/detection/finding.ts';
import { limits } from '../../../src/core/limits.ts';
import { findingOf } from './alert-examples.ts';

/** What may happen to a book, in the order in which it does. */
type Action =
  | {
      readonly do: 'read';
      readonly series: number;
      readonly found: readonly FindingKind[];
      readonly severity: number;
    }
  | { readonly do: 'model'; readonly series: number; readonly isFound: boolean }
  | { readonly do: 'tick' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'acknowledge' | 'shelve' | 'unshelve'; readonly alert: number }
  | { readonly do: 'forget'; readonly series: number }
  | { readonly do: 'storm'; readonly kind: FindingKind };

type Memos = Map<string, Uint8Array>;

/** Three devices in two topics, with seven series in all. */
const places = [
  ['air', 'roof', 'rain'],
  ['air', 'roof', 'wind'],
  ['air', 'hall', null],
  ['air', 'hall2', null],
  ['power', 'meter', 'kW'],
  ['power', 'meter', 'V'],
  ['power', 'meter', 'A'],
] as const;
const subjects: readonly AlertSubject[] = places.map((place, index) => ({
  series: place.filter((part) => part !== null).join(':'),
  partition: index % 2,
  unit: index === 0 ? 'mm' : null,
}));

/** The whole of a run: a book, what it reads, and what the log has of it. What is not in the book is read anew after a crash. */
class Run {
  #book = AlertBook.restored(new Map()).book;
  #tree = new SilenceTree();
  #nowMs = 1_000_000;
  #offset = 0;
  readonly #heard = new Map<number, { timeMs: number; nextOffset: number }>();
  readonly durable: Memos = new Map();
  readonly told: string[] = [];

  act(action: Action): void {
    switch (action.do) {
      case 'read': {
        const findings = action.found.map((kind) => findingOf(kind, { severity: action.severity }));
        this.#read(action.series, findings.length === 0 ? undefined : findings);
        break;
      }
      case 'model':
        this.#book.observe(
          subjects[action.series] ?? expect.fail(),
          { timeMs: this.#nowMs, value: 1, offset: this.#offset },
          action.isFound ? [findingOf('model')] : [],
          'ours',
        );
        break;
      case 'tick':
        this.#tick();
        break;
      case 'wait':
        this.#nowMs += action.seconds * 1000;
        break;
      case 'forget':
        this.#heard.delete(action.series);
        this.#rebuildTree(false);
        this.#book.forget(subjects[action.series]?.series ?? '', this.#nowMs);
        break;
      case 'storm':
        for (let index = 0; index < limits.openAlertsMax; index += 1) {
          const subject = { series: `storm:${index}`, partition: 0, unit: null };
          const reading = { timeMs: this.#nowMs, value: index, offset: this.#offset };
          this.#book.observe(subject, reading, [findingOf(action.kind)]);
        }
        break;
      default:
        this.#decide(action.do, action.alert);
    }
    const { verdicts, memos } = this.#book.take();
    for (const { value } of verdicts) this.told.push(`${value}`);
    for (const [key, bytes] of memos) {
      if (bytes.length === 0) this.durable.delete(key);
      else this.durable.set(key, bytes);
    }
  }

  /** The process ends, and begins anew with what is durable, in any order. */
  crash(kept: (memos: Memos) => Memos): void {
    const { book, problems } = AlertBook.restored(kept(new Map([...this.durable].reverse())));
    expect(problems).toEqual([]);
    this.#book = book;
    this.#rebuildTree(true);
  }

  #read(series: number, findings: Parameters<AlertBook['observe']>[2] = []): void {
    const subject = subjects[series] ?? expect.fail();
    this.#offset += 1;
    const heard = { timeMs: this.#nowMs, nextOffset: this.#offset + 1 };
    const isNew = !this.#heard.has(series);
    this.#heard.set(series, heard);
    if (isNew) this.#rebuildTree(false);
    const known = this.#tree.series(subject.series) ?? expect.fail();
    this.#tree.heard(known, heard.timeMs, heard.nextOffset);
    if (findings.length === 0 && this.#book.isQuiet(subject)) return;
    this.#book.observe(subject, { timeMs: this.#nowMs, value: series, offset: this.#offset }, findings);
  }

  #tick(): void {
    for (const { series } of subjects) {
      const known = this.#tree.series(series);
      if (known !== undefined) this.#tree.judge(known, this.#nowMs, 30_000);
    }
    this.#book.tick(this.#nowMs, this.#tree);
  }

  #decide(what: 'acknowledge' | 'shelve' | 'unshelve', alert: number): void {
    const open = this.#book.alerts();
    const id = open[alert % Math.max(1, open.length)]?.id ?? 'none';
    if (what === 'acknowledge') this.#book.acknowledge(id, 'anna', this.#nowMs);
    else if (what === 'shelve') this.#book.shelve(id, this.#nowMs + 90_000, this.#nowMs);
    else this.#book.unshelve(id, this.#nowMs);
  }

  #rebuildTree(isReversed: boolean): void {
    this.#tree = new SilenceTree();
    const heard = [...this.#heard].sort(([one], [other]) => (isReversed ? other - one : one - other));
    for (const [index, { timeMs, nextOffset }] of heard) {
      const [topic, key, path] = places[index] ?? expect.fail();
      this.#tree.add(subjects[index] ?? expect.fail(), { topic, key, path }, timeMs, nextOffset);
    }
  }
}

const anySeries = fc.nat({ max: subjects.length - 1 });
const anyKind = fc.constantFrom<FindingKind>('spike', 'drift', 'unusual', 'duplicate', 'counter-reset');
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      series: anySeries,
      found: fc.uniqueArray(anyKind, { maxLength: 2 }),
      severity: fc.integer({ min: 1, max: 1000 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 10, 20, 61) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('acknowledge' as const, 'shelve' as const, 'unshelve' as const),
      alert: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('model' as const), series: anySeries, isFound: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), series: anySeries }) },
);
const anyLife = fc.array(fc.tuple(anyAction, fc.boolean()), { minLength: 1, maxLength: 80, size: 'max' });

/** Fails if a run that crashes where it says so tells anything else than one that does not. */
const tellsTheSame = (kept: (memos: Memos) => Memos) =>
  fc.property(anyLife, (life) => {
    const [steady, crashing] = [new Run(), new Run()];
    for (const [action, isCrash] of life) {
      steady.act(action);
      if (isCrash) crashing.crash(kept);
      crashing.act(action);
      expect(crashing.told).toEqual(steady.told);
    }
  });

const all = (memos: Memos): Memos => memos;
const runs = { numRuns: 250, seed: 7, endOnFailure: true };

test('crashes and restores from what is durable change nothing of what is told', () => {
  fc.assert(tellsTheSame(all), runs);
});

test.each<[string, (memos: Memos) => Memos]>([
  ['nothing is kept', () => new Map()],
  [
    'pending alerts are not kept',
    (memos) => new Map([...memos].filter(([, bytes]) => fieldsOf(bytes).length > 10)),
  ],
  ['what was told is not kept', (memos) => withField(memos, 24, false)],
  ['quiet readings are not kept', (memos) => withField(memos, 22, 1)],
  ['the shelf is not kept', (memos) => withField(memos, 7, null)],
])('the search finds it when %s', (_, kept) => {
  expect(fc.check(tellsTheSame(kept), runs).failed).toBe(true);
});

const fieldsOf = (bytes: Uint8Array): unknown[] =>
  JSON.parse(`${Buffer.from(bytes.subarray(1))}`) as unknown[];

const withField = (memos: Memos, at: number, value: unknown): Memos =>
  new Map(
    [...memos].map(([key, bytes]) => {
      const fields = fieldsOf(bytes);
      if (at < fields.length) fields[at] = value;
      return [key, Buffer.concat([Uint8Array.of(1), Buffer.from(JSON.stringify(fields))])];
    }),
  );

/** What is wrong with what was told: an alert that is raised again, or closed, without having been the other. */
function contradictions(told: readonly string[]): readonly string[] {
  const open = new Set<string>();
  return told.flatMap((line) => {
    const { event, id } = JSON.parse(line) as { readonly event: string; readonly id: string };
    const isClosing = event === 'cleared' || event === 'suppressed';
    if (event !== 'raised' && !isClosing) return [];
    const isWrong = open.has(id) !== isClosing;
    if (isClosing) open.delete(id);
    else open.add(id);
    return isWrong ? [`${event} ${id}`] : [];
  });
}

const stormyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 20, arbitrary: anyAction },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('storm' as const),
      kind: fc.constantFrom<FindingKind>('spike', 'drift'),
    }),
  },
);

test('each alert is raised once before it is cleared, and what is kept stays within its bounds', () => {
  const seen = new Set<unknown>();
  fc.assert(
    fc.property(fc.array(stormyAction, { minLength: 20, maxLength: 80, size: 'max' }), (life) => {
      const run = new Run();
      for (const action of life) run.act(action);
      expect(contradictions(run.told)).toEqual([]);
      for (const line of run.told) seen.add(JSON.parse(line).event);
      expect(run.durable.size).toBeLessThanOrEqual(limits.openAlertsMax + limits.pendingAlertsMax + 1);
      const bytes = [...run.durable].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
      expect(bytes).toBeLessThan(limits.alertMemosBytesMax);
    }),
    { numRuns: 60, seed: 3 },
  );
  // A search that does not get there proves nothing.
  const all = [
    'raised',
    'cleared',
    'suppressed',
    'acknowledged',
    'shelved',
    'unshelved',
    'noted',
    'flood-began',
  ];
  expect([...seen].sort()).toEqual(all.sort());
});

test('an alert that is told twice, or not at all, is found', () => {
  const run = new Run();
  run.act({ do: 'read', series: 0, found: ['spike'], severity: 5 });
  run.act({ do: 'forget', series: 0 });
  const [raised = '', cleared = ''] = run.told;
  expect(run.told).toHaveLength(2);
  expect(contradictions(run.told)).toEqual([]);
  expect(contradictions([raised, raised, cleared])).toHaveLength(1);
  expect(contradictions([cleared])).toHaveLength(1);
});
