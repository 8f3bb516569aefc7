import { isSystemError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { JournalFile, LogEnvironment } from '../journal/journal-files.ts';
import type { Loss } from '../retention/loss-ledger.ts';
import {
  baseOffsetOf,
  partitionFolder,
  partitionOfFolder,
  type Segment,
  segmentPath,
  topicsFolder,
} from '../state/catalog.ts';
import {
  type Entry,
  lifeEntry,
  type PartitionId,
  partitionKey,
  partitionStateEntry,
  segmentEntry,
  topicSettingEntry,
} from '../state/entries.ts';
import { type LogState, lifeAt, type Partition } from '../state/state.ts';
import type { OffsetRange } from './seal-job.ts';
import { copyOntoItself, keepInQuarantine } from './segment-folders.ts';
import { type LifeRun, plausibleRuns, type SegmentScan, scanSegment } from './segment-scan.ts';

/** A folder of segments, and what the journal knows of its partition. */
interface Folder {
  readonly path: string;
  readonly topic: string;
  readonly partition: number;
  readonly known: Partition | undefined;
  /** The journal holds the records from here to the partition's next offset, as far as it is whole. */
  readonly heldFrom: number;
  /** The ordinal of the last life that the journal knows. */
  readonly lastOrdinal: number;
}

/** What of a folder is taken over. */
interface Adopted {
  readonly segments: readonly Segment[];
  readonly runs: readonly LifeRun[];
  /** Offsets that nobody has. */
  readonly lost: readonly OffsetRange[];
  /** Those of them that lie between two files: no reader will come across them. */
  readonly between: readonly OffsetRange[];
  readonly endOffset: number;
}

/** What is taken over of all folders. */
export interface Adoptions {
  /** Applied to the state, they make it known. */
  readonly entries: readonly Entry[];
  /** To be entered in the ledger. What is lost inside a segment is told by the first who reads there. */
  readonly losses: readonly Loss[];
}

export const noAdoptions: Adoptions = { entries: [], losses: [] };

/**
 * After the medium took the newest files of the journal, or all of them: what segments hold and neither the catalog nor
 * the journal knows any more. The files are durable as entered
 * once this resolves; interrupted, it finds the same again. Where the journal still has the records, the journal wins: what
 * is left of an interrupted sealing is not taken over.
 */
export async function adoptSegments(
  env: LogEnvironment,
  state: LogState,
  files: readonly JournalFile[],
): Promise<Adoptions> {
  const newest = files.at(-1)?.header.life;
  const partitions = new Map(state.everyPartition().map((one) => [`${one.topic}-${one.id.partition}`, one]));
  const adoption = new Adoption(state, newest && [newest.ordinal, newest.lifeId], env);
  for (const name of [...(await env.disk.list(topicsFolder))].sort()) {
    const named = partitionOfFolder(name);
    if (named === undefined) continue;
    const known = partitions.get(name);
    const heldFrom = known && (files[0]?.marks.get(partitionKey(known.id))?.nextOffset ?? 0);
    const folder = {
      ...named,
      path: partitionFolder(named.topic, named.partition),
      known,
      heldFrom: Math.max(heldFrom ?? 0, known?.sealedOffset ?? 0),
      lastOrdinal: newest?.ordinal ?? 0,
    };
    const adopted = await adoptFolder(env, folder);
    if (adopted.segments.length > 0) adoption.take(folder, adopted);
    await keepOthers(env, folder, adopted);
  }
  return { entries: adoption.entries(), losses: adoption.losses };
}

async function adoptFolder(env: LogEnvironment, folder: Folder): Promise<Adopted> {
  const { known, heldFrom } = folder;
  const nextOffset = known?.nextOffset ?? 0;
  let adopted = await scanFolder(env, folder, Number.POSITIVE_INFINITY);
  const takesFromJournal = adopted.lost.some(
    (range) => range.endOffset > heldFrom && range.fromOffset < nextOffset,
  );
  if (known !== undefined && (adopted.endOffset <= nextOffset || takesFromJournal))
    adopted = await scanFolder(env, folder, heldFrom);
  for (const segment of adopted.segments) await makeDurable(env, folder, segment);
  if (adopted.segments.length > 0) await env.disk.syncFolder(folder.path);
  return adopted;
}

/** What the catalog does not know of batches that begin below `untilOffset`. */
async function scanFolder(env: LogEnvironment, folder: Folder, untilOffset: number): Promise<Adopted> {
  const { known } = folder;
  const segments: Segment[] = [];
  const runs: LifeRun[] = [];
  const lost: OffsetRange[] = [];
  const between: OffsetRange[] = [];
  let endOffset = known?.sealedOffset ?? 0;
  for (const baseOffset of await segmentsIn(env, folder.path)) {
    const entered = known?.segments.find((segment) => segment.baseOffset === baseOffset);
    // Only the newest one may have grown.
    const isGrown = entered === known?.segments.at(-1) && entered?.endOffset === endOffset;
    if (entered === undefined ? baseOffset < endOffset : !isGrown) continue;
    const scan = await scanFile(env, folder, entered, baseOffset, untilOffset);
    const from = entered?.endOffset ?? baseOffset;
    if (scan?.maxTimestampMs === undefined) continue;
    const isFirst = known === undefined && segments.length === 0;
    if (from > endOffset && !isFirst) between.push({ fromOffset: endOffset, endOffset: from });
    lost.push(...scan.lost);
    runs.push(...scan.runs);
    endOffset = scan.end.baseOffset;
    const maxTimestampMs = Math.max(entered?.maxTimestampMs ?? scan.maxTimestampMs, scan.maxTimestampMs);
    segments.push({ baseOffset, endOffset, sizeBytes: scan.end.position, maxTimestampMs });
  }
  return { segments, runs, lost: [...between, ...lost], between, endOffset };
}

/** Undefined for a file that the medium does not give. */
async function scanFile(
  { disk }: LogEnvironment,
  { path, known, lastOrdinal }: Folder,
  entered: Segment | undefined,
  baseOffset: number,
  untilOffset: number,
): Promise<SegmentScan | undefined> {
  const from = { position: entered?.sizeBytes ?? 0, baseOffset: entered?.endOffset ?? baseOffset };
  const isOurs = (header: { readonly baseOffset: number; readonly leaderEpoch: number }): boolean => {
    const { leaderEpoch } = header;
    if (known === undefined || header.baseOffset >= known.nextOffset)
      return leaderEpoch >= lastOrdinal && leaderEpoch <= limits.adoptedLifeOrdinalMax;
    return (lifeAt(known, header.baseOffset) ?? leaderEpoch) === leaderEpoch;
  };
  try {
    const file = await disk.open(segmentPath(path, baseOffset));
    try {
      return await scanSegment(file, from, { untilOffset, isOurs });
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** Cuts the file behind what counts and makes it durable. */
async function makeDurable(env: LogEnvironment, folder: Folder, segment: Segment): Promise<void> {
  const entered = folder.known?.segments.find((one) => one.baseOffset === segment.baseOffset);
  const file = await env.disk.open(segmentPath(folder.path, segment.baseOffset));
  try {
    await file.truncate(segment.sizeBytes);
    // What the journal has as well may be in the page cache alone, called clean since a sync of it has failed.
    if (folder.known !== undefined) await copyOntoItself(file, entered?.sizeBytes ?? 0, segment.sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Files that are not taken over, and of which the journal does not have everything either, are kept in quarantine. */
async function keepOthers(env: LogEnvironment, folder: Folder, adopted: Adopted): Promise<void> {
  const { known, path } = folder;
  const taken = new Set(
    [...(known?.segments ?? []), ...adopted.segments].map(({ baseOffset }) => baseOffset),
  );
  const nextOffset = Math.max(known?.nextOffset ?? 0, adopted.endOffset);
  for (const baseOffset of await segmentsIn(env, path)) {
    if (taken.has(baseOffset)) continue;
    const scan = await scanFile(env, folder, undefined, baseOffset, Number.POSITIVE_INFINITY);
    const isHeld =
      known !== undefined && baseOffset < nextOffset && (scan?.end.baseOffset ?? 0) <= nextOffset;
    if (!isHeld) await keepInQuarantine(env, path, baseOffset, scan?.end.baseOffset ?? baseOffset);
  }
}

const segmentsIn = async ({ disk }: LogEnvironment, folder: string): Promise<readonly number[]> =>
  [...(await disk.list(folder))]
    .map(baseOffsetOf)
    .filter((baseOffset) => baseOffset !== undefined)
    .sort((one, other) => one - other);

/** Turns what is taken over into entries, and says so. */
class Adoption {
  readonly #state: LogState;
  readonly #env: LogEnvironment;
  readonly #lifeIds: Map<number, string>;
  readonly #lifeStarts = new Map<number, { id: PartitionId; firstOffset: number }[]>();
  readonly #partitions: Entry[] = [];
  readonly #topics = new Map<string, { topicNumber: number; partitions: number }>();
  readonly losses: Loss[] = [];

  constructor(state: LogState, newestLife: readonly [number, string] | undefined, env: LogEnvironment) {
    this.#state = state;
    this.#env = env;
    this.#lifeIds = new Map(newestLife === undefined ? [] : [newestLife]);
  }

  take(folder: Folder, adopted: Adopted): void {
    const { topic, partition, known } = folder;
    const id = { topicNumber: this.#topicNumber(topic, partition), partition };
    const { segments, endOffset } = adopted;
    const logStartOffset = known?.logStartOffset ?? segments[0]?.baseOffset ?? 0;
    const nextOffset = Math.max(known?.nextOffset ?? 0, endOffset);
    this.#partitions.push(partitionStateEntry({ id, logStartOffset, sealedOffset: endOffset, nextOffset }));
    for (const segment of segments) this.#partitions.push(segmentEntry({ ...segment, id }));
    this.#takeLives(id, known, adopted.runs);
    for (const { fromOffset: firstOffset, endOffset: end } of adopted.between)
      this.losses.push({ topic, partition, firstOffset, endOffset: end, reason: 'damage' });
    this.#report(folder, adopted);
  }

  /** A topic before its partitions; the lives in the order of their ordinals, as everywhere. */
  entries(): readonly Entry[] {
    const topics = [...this.#topics].flatMap(([name, { topicNumber, partitions }]) => {
      const known = this.#state.topic(name);
      if (known !== undefined && known.partitions >= partitions) return [];
      return [topicSettingEntry({ topicNumber, name, partitions, settings: known?.settings ?? {} })];
    });
    const lives = [...this.#lifeStarts]
      .sort(([one], [other]) => one - other)
      .map(([ordinal, starts]) => lifeEntry({ ordinal, lifeId: this.#lifeId(ordinal), starts }));
    return [...topics, ...this.#partitions, ...lives];
  }

  #topicNumber(topic: string, partition: number): number {
    const taken = this.#topics.get(topic);
    const topicNumber =
      taken?.topicNumber ??
      this.#state.topicNumber(topic) ??
      Math.max(this.#state.nextTopicNumber(), ...this.#topics.values().map((one) => one.topicNumber + 1));
    this.#topics.set(topic, { topicNumber, partitions: Math.max(taken?.partitions ?? 0, partition + 1) });
    return topicNumber;
  }

  /** The journal had the ids of lives; those that are lost get new ones, so that nothing is taken for what it may not be. */
  #takeLives(id: PartitionId, known: Partition | undefined, runs: readonly LifeRun[]): void {
    const nextOffset = known?.nextOffset ?? 0;
    const last = known?.lives.at(-1)?.ordinal ?? -1;
    const unknown = runs.filter((run) => run.firstOffset >= nextOffset);
    for (const { ordinal, firstOffset } of plausibleRuns(unknown)) {
      if (ordinal === last) continue;
      const starts = this.#lifeStarts.get(ordinal) ?? [];
      starts.push({ id, firstOffset });
      this.#lifeStarts.set(ordinal, starts);
    }
  }

  #lifeId(ordinal: number): string {
    return this.#lifeIds.get(ordinal) ?? Buffer.from(this.#env.random.bytes(16)).toString('hex');
  }

  #report({ topic, partition }: Folder, { segments, lost, endOffset }: Adopted): void {
    const { logger } = this.#env;
    const [first] = segments;
    logger.warn(
      { topic, partition, segments: segments.length, firstOffset: first?.baseOffset, endOffset },
      'these segments were known to lost files of the journal only; they are taken over',
    );
    for (const { fromOffset, endOffset: lostEnd } of lost)
      logger.error(
        { topic, partition, firstOffset: fromOffset, endOffset: lostEnd },
        'neither the journal nor a segment has these records; they are lost',
      );
  }
}
