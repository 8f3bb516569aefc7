import type { Plant } from '../sim/plants.ts';
import type { FaultKind } from './fault-plan.ts';

/** The gateway's own copy says what was confirmed before the last transaction; only the cluster knows of that one. */
export const ownCopyPlant: Plant = {
  name: 'resumed-from-the-own-copy-alone',
  file: 'src/forwarder/mirror/resume.ts',
  edits: [
    { find: 'const said = own === null ? ancestors : [own, ...ancestors];', replace: 'const said = [];' },
  ],
};

/** A bug of the mirror that faults on a real cluster can show, and the shortest plan that is known to show it. */
export interface FaultCanary {
  readonly plant: string;
  readonly kinds: readonly FaultKind[];
  readonly faults: number;
  readonly readings: number;
  /** What it shows: records that are wrong, or a mirror that stands still because the cluster refuses what it sends. */
  readonly shows: 'wrong' | 'standstill';
}

export const faultCanaries: readonly FaultCanary[] = [
  {
    plant: 'checkpoint-outside-the-transaction',
    ...{ kinds: ['drain'], faults: 2, readings: 10_000, shows: 'wrong' },
  },
  {
    plant: 'produce-error-committed',
    ...{ kinds: ['broker-stop'], faults: 3, readings: 9_000, shows: 'wrong' },
  },
  {
    plant: ownCopyPlant.name,
    ...{ kinds: ['gateway-kill'], faults: 8, readings: 16_000, shows: 'wrong' },
  },
  {
    plant: 'sealed-batches-of-a-transaction-with-one-sequence',
    ...{ kinds: ['drain'], faults: 1, readings: 6_000, shows: 'standstill' },
  },
  {
    plant: 'rest-of-a-sealed-batch-sent-whole',
    ...{ kinds: ['drain'], faults: 2, readings: 12_000, shows: 'wrong' },
  },
];
