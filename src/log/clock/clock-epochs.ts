import { limits } from '../../core/limits.ts';
import { type Entry, type PartitionId, partitionKey } from '../state/entries.ts';
import { type ClockEpochEntry, clockEpochEntry } from './clock-entry.ts';
import type { ClockEpoch, EpochStart } from './clock-epoch.ts';

/** What journal batches say for which no epoch is kept. */
export const noEpoch = -1;

interface PartitionStarts {
  readonly id: PartitionId;
  /** In the order of their offsets. */
  readonly starts: EpochStart[];
}

/** The table of clock epochs: which there are, and which records of which partition are of which. A fold, like all of the state. */
export class ClockEpochs {
  readonly #epochs = new Map<number, ClockEpoch>();
  /** In how many places each of them begins. */
  readonly #startCounts = new Map<number, number>();
  /** Those with stamps that somebody may still learn to correct. */
  readonly #unsettled = new Set<number>();
  #newest = noEpoch;
  readonly #partitions = new Map<string, PartitionStarts>();
  #starts = 0;

  /** The one that the last records are of. */
  get current(): ClockEpoch | undefined {
    return this.#epochs.get(this.#newest);
  }

  /** Oldest first. */
  all(): readonly ClockEpoch[] {
    return [...this.#epochs.values()];
  }

  /**
   * Takes an epoch in. If the clock is set in it, it is known by how much it was off in those before it since the machine was
   * started.
   */
  enter({ starts, ...epoch }: ClockEpochEntry): void {
    const before = this.#newest;
    this.#newest = Math.max(this.#newest, epoch.ordinal);
    this.#put({ ...epoch, shiftMs: epoch.shiftMs ?? this.#epochs.get(epoch.ordinal)?.shiftMs ?? null });
    for (const earlier of epoch.isSet ? this.unsettled(epoch.bootId) : [])
      this.#put({ ...earlier, shiftMs: epoch.settingMs - earlier.settingMs });
    for (const { id, firstOffset } of starts) this.saw(id, epoch.ordinal, firstOffset);
    this.#forgetIfOver(before);
  }

  /** Those of this start of the machine whose stamps will be corrected once the clock is set. */
  unsettled(bootId: string): readonly ClockEpoch[] {
    return [...this.#unsettled]
      .map((ordinal) => this.#epochs.get(ordinal))
      .filter((epoch) => epoch !== undefined)
      .filter((epoch) => epoch.bootId === bootId);
  }

  /** Records of the partition from this offset on are of this epoch. */
  saw(id: PartitionId, ordinal: number, firstOffset: number): void {
    const key = partitionKey(id);
    const starts = this.#partitions.get(key)?.starts ?? [];
    if (ordinal === noEpoch || starts.at(-1)?.ordinal === ordinal) return;
    if (!this.#epochs.has(ordinal)) this.enter(lostEpoch(ordinal));
    starts.push({ ordinal, firstOffset });
    this.#partitions.set(key, { id, starts });
    this.#count(ordinal, 1);
    while (this.#starts > limits.clockEpochStartsMax) this.#forgetOldestStart();
  }

  /** Records below this offset are gone. */
  moveLogStart(id: PartitionId, logStartOffset: number): void {
    const { starts } = this.#partitions.get(partitionKey(id)) ?? { starts: [] };
    while ((starts[1]?.firstOffset ?? Number.POSITIVE_INFINITY) <= logStartOffset) {
      const [over] = starts.splice(0, 1);
      if (over !== undefined) this.#count(over.ordinal, -1);
    }
  }

  /** From which offset on records of a partition will be corrected once the clock is set; null if none will. */
  unsettledFrom(id: PartitionId, bootId: string): number | null {
    const ordinals = new Set(this.unsettled(bootId).map(({ ordinal }) => ordinal));
    return this.startsOf(id).find(({ ordinal }) => ordinals.has(ordinal))?.firstOffset ?? null;
  }

  /** Where epochs begin in a partition, in the order of the offsets; those before the first one are not known. */
  startsOf(id: PartitionId): readonly EpochStart[] {
    return this.#partitions.get(partitionKey(id))?.starts ?? [];
  }

  /** Undefined if the table does not know. */
  at(id: PartitionId, offset: number): ClockEpoch | undefined {
    const start = this.startsOf(id).findLast(({ firstOffset }) => firstOffset <= offset);
    return this.#epochs.get(start?.ordinal ?? noEpoch);
  }

  /** Entries which, applied to an empty table, give this one; the newest comes last. */
  entries(): readonly Entry[] {
    const places = [...this.#partitions.values()].flatMap(({ id, starts }) =>
      starts.map((start) => ({ ...start, id })),
    );
    const byEpoch = Map.groupBy(places, ({ ordinal }) => ordinal);
    return this.all().map((epoch) => clockEpochEntry({ ...epoch, starts: byEpoch.get(epoch.ordinal) ?? [] }));
  }

  #put(epoch: ClockEpoch): void {
    this.#epochs.set(epoch.ordinal, epoch);
    if (epoch.shiftMs === null) this.#unsettled.add(epoch.ordinal);
    else this.#unsettled.delete(epoch.ordinal);
  }

  #count(ordinal: number, by: 1 | -1): void {
    this.#starts += by;
    this.#startCounts.set(ordinal, (this.#startCounts.get(ordinal) ?? 0) + by);
    this.#forgetIfOver(ordinal);
  }

  /** Nobody asks for an epoch without records that was told; but the newest one is what the next is told from. */
  #forgetIfOver(ordinal: number): void {
    const isUsed = (this.#startCounts.get(ordinal) ?? 0) > 0 || this.#epochs.get(ordinal)?.isTold === false;
    if (isUsed || ordinal === this.#newest) return;
    this.#epochs.delete(ordinal);
    this.#startCounts.delete(ordinal);
    this.#unsettled.delete(ordinal);
  }

  #forgetOldestStart(): void {
    let oldest: PartitionStarts | undefined;
    for (const one of this.#partitions.values()) if (firstOf(one) < firstOf(oldest)) oldest = one;
    const [over] = oldest?.starts.splice(0, 1) ?? [];
    if (over !== undefined) this.#count(over.ordinal, -1);
  }
}

/** The medium took the commit that began it: nothing is known of its clock, and nothing will be. */
const lostEpoch = (ordinal: number): ClockEpochEntry => ({
  ordinal,
  bootId: '0'.repeat(32),
  settingMs: 0,
  startedMs: 0,
  isSet: false,
  shiftMs: null,
  isTold: true,
  starts: [],
});

const firstOf = (one: PartitionStarts | undefined): number =>
  one?.starts[0]?.ordinal ?? Number.POSITIVE_INFINITY;
