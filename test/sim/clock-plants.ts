import type { Plant } from './plants.ts';

const epochs = 'src/log/clock/clock-epochs.ts';

/** Bugs around clock epochs, which the clock search must find. */
export const clockPlants: readonly Plant[] = [
  {
    name: 'epoch-not-with-its-records',
    file: 'src/log/commits/commit-plan.ts',
    edits: [{ find: '...(begun === null ? [] :', replace: '...(true ? [] :' }],
  },
  {
    name: 'epochs-mixed-in-a-sealed-batch',
    file: 'src/log/segments/batch-merger.ts',
    edits: [{ find: ' && leaderEpoch === this.#epochOrdinal', replace: '' }],
  },
  {
    name: 'corrected-by-the-clock-of-another-boot',
    file: epochs,
    edits: [{ find: '.filter((epoch) => epoch.bootId === bootId)', replace: '' }],
  },
  {
    name: 'epochs-not-in-the-snapshot',
    file: 'src/log/state/state.ts',
    edits: [{ find: '...this.clockEpochs.entries(),', replace: '' }],
  },
  {
    name: 'set-clock-not-committed-without-records',
    fromSeed: 100,
    file: 'src/log/clock/clock-teller.ts',
    edits: [{ find: 'if (!isNews && untold === 0) return;', replace: 'if (untold === 0) return;' }],
  },
  {
    name: 'jump-overlooked',
    file: 'src/log/clock/clock-epoch.ts',
    edits: [{ find: ' && jumpMs < limits.clockJumpMsMin', replace: '' }],
  },
  {
    name: 'epoch-told-twice',
    file: 'src/log/clock/clock-teller.ts',
    edits: [{ find: 'isTold: true, ', replace: '' }],
  },
];
