import type { Plant } from './plants.ts';

const runner = 'src/anomaly/runner/anomaly-runner.ts';
const judge = 'src/anomaly/runner/judge.ts';
const saver = 'src/anomaly/states/state-saver.ts';

const oneCommit = 'const isDurable = await this.#append(records, new Map([...memos, ...cursors]));';

/** Bugs around verdicts, cursors and saved states, which the alert search must find. */
export const alertPlants: readonly Plant[] = [
  {
    name: 'cursors-in-a-commit-after-the-verdicts',
    fromSeed: 4,
    file: runner,
    edits: [
      {
        find: oneCommit,
        replace:
          'const isDurable = (await this.#append(records, memos)) && (await this.#append([], cursors));',
      },
    ],
  },
  {
    name: 'cursors-in-a-commit-before-the-verdicts',
    file: runner,
    edits: [
      {
        find: oneCommit,
        replace:
          'const isDurable = (await this.#append([], cursors)) && (await this.#append(records, memos));',
      },
    ],
  },
  {
    name: 'alerts-not-kept-with-the-verdicts',
    file: runner,
    edits: [{ find: oneCommit, replace: 'const isDurable = await this.#append(records, cursors);' }],
  },
  {
    name: 'what-is-learned-again-told-again',
    file: judge,
    edits: [{ find: 'if (offset < position.told) return;', replace: '' }],
  },
  {
    name: 'nothing-learned-again-behind-the-saved-states',
    file: runner,
    edits: [
      {
        find: 'position.next = Math.max(0, Math.min(end?.offset ?? told - limits.relearnedRecordsMax, told));',
        replace: 'position.next = end === undefined ? told : told;',
      },
    ],
  },
  {
    name: 'states-counted-before-the-cursor-is-durable',
    fromSeed: 8,
    file: 'src/anomaly/states/state-files.ts',
    edits: [{ find: 'await confirm();', replace: '' }],
  },
  {
    name: 'states-said-to-know-what-is-not-judged-yet',
    file: runner,
    edits: [
      {
        find: 'return [...this.#options.positions].map(({ topic, partition, next }) => ({',
        replace: 'return [...this.#options.positions].map(({ topic, partition, end: next }) => ({',
      },
    ],
  },
  {
    name: 'only-changed-states-in-a-file-that-replaces-all',
    file: saver,
    edits: [
      {
        find: 'return all ? { changed: everything, bytes: allBytes, all }',
        replace: 'return all ? { changed: news, bytes: allBytes, all }',
      },
    ],
  },
  {
    name: 'what-changed-during-a-save-taken-for-saved',
    file: saver,
    edits: [
      {
        find: 'for (const [series, offset] of savedOffsets) series.savedOffset = offset;',
        replace: 'for (const [series] of savedOffsets) series.savedOffset = series.nextOffset;',
      },
    ],
  },
  {
    name: 'first-cursors-not-durable-before-the-first-reading',
    fromSeed: 77,
    file: runner,
    edits: [{ find: 'await log.append([], cursors);', replace: '' }],
  },
];
