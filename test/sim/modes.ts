import type { Faults } from '../support/sim-disk.ts';
import type { SimRandom } from '../support/sim-random.ts';

/** What the disk of one scenario does besides losing what was not synced. */
export interface Mode {
  readonly name: string;
  /** How many of a hundred scenarios are of this kind. */
  readonly share: number;
  readonly faults: Faults;
  /** The disk breaks its own promise, so what was told may be lost, but only visibly. */
  readonly mayLose: boolean;
  /** Space runs out and comes back while the log is in use. */
  readonly fills: boolean;
  /** Bits of the files flip while no process runs. */
  readonly flips: boolean;
  /** Between two lives the journal is lost, or its newest files are. */
  readonly losesJournal: boolean;
  /** Lives are long and journal files short, so that much is sealed. */
  readonly busy: boolean;
}

const honest = { mayLose: false, fills: false, flips: false, losesJournal: false, busy: false };

/*
 * A failing device and a damaged header are not played together: if the header of a file in the middle is lost, its
 * first commit number is lost with it, and a write that lands late in an older file is told apart by nothing.
 */
const modes: readonly Mode[] = [
  { name: 'honest', share: 13, faults: {}, ...honest },
  {
    name: 'failing',
    share: 25,
    faults: {
      syncFails: 0.08,
      writeFails: 0.06,
      nameFails: 0.05,
      folderSyncFails: 0.05,
      evicts: 0.05,
      landsLate: 0.04,
    },
    ...honest,
  },
  {
    name: 'late',
    share: 10,
    faults: { syncFails: 0.1, writeFails: 0.1, nameFails: 0.05, landsLate: 0.03 },
    ...honest,
  },
  {
    name: 'sealing',
    share: 4,
    faults: { syncFails: 0.2, writeFails: 0.15, nameFails: 0.03, landsLate: 0.06, onlyBelow: 'topics' },
    ...honest,
    busy: true,
  },
  {
    name: 'busy',
    share: 4,
    faults: { syncFails: 0.03, writeFails: 0.04, nameFails: 0.02, landsLate: 0.06 },
    ...honest,
    busy: true,
  },
  { name: 'forgetful', share: 10, faults: { syncFails: 0.12, folderSyncFails: 0.15 }, ...honest },
  { name: 'full', share: 10, faults: { syncFails: 0.01 }, ...honest, fills: true },
  { name: 'lying', share: 10, faults: { lies: 0.3 }, ...honest, mayLose: true },
  { name: 'damaged', share: 10, faults: {}, ...honest, mayLose: true, flips: true },
  { name: 'beheaded', share: 4, faults: {}, ...honest, mayLose: true, losesJournal: true, busy: true },
];

/** A kind of scenario; how often it plays each fault differs, because one fault can hide what another has done. */
export function chooseMode(random: SimRandom, only?: string): Mode {
  const drawn = drawMode(random.below(100));
  const mode = modes.find(({ name }) => name === only) ?? drawn;
  const strength = (): number => strengths[random.below(strengths.length)] ?? 1;
  const faults = Object.fromEntries(
    Object.entries(mode.faults).map(([fault, value]) => [
      fault,
      typeof value === 'number' ? value * strength() : value,
    ]),
  );
  return { ...mode, faults };
}

const strengths = [0, 0.3, 1, 2];

function drawMode(draw: number): Mode {
  let left = draw;
  for (const mode of modes) {
    left -= mode.share;
    if (left < 0) return mode;
  }
  throw new Error('the shares of the modes are a hundred');
}
