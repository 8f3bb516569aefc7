import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { gapsTopicName } from '../../core/topic-name.ts';
import type { Objection, PartitionObjection } from '../cluster/target.ts';
import { isSame, type PartitionName, type Position } from './checkpoint.ts';
import { isCount, type Parsed, parseObject } from './stored-json.ts';

/*
 * What the mirror does about things that the cluster will not take, so that they keep nothing else from arriving. A
 * batch is sent again in smaller pieces until the guilty record is alone; that one is set aside, with a row in the loss
 * ledger. A topic or a partition that cannot be written to is left out for a while. Pure, like the mirror itself.
 */

/** Records that the cluster refuses for good, from the first to the one before `nextOffset`. */
export interface AsideRange extends PartitionName {
  readonly fromOffset: number;
  readonly nextOffset: number;
  /** The cluster's word for why. */
  readonly cause: string;
}

/** Records that are passed without being sent; their rows in the ledger are durable. */
export type Aside = Omit<AsideRange, 'cause'>;

/** What is left out for a while: a whole topic, or one partition of it. */
export interface Pause {
  readonly topic: string;
  readonly partition: number | null;
  /** Why, and what to do about it. */
  readonly message: string;
}

/** A position, and how its records are to be sent. */
export interface ReadPosition extends Position {
  /** Only records below this offset; null for all there are. */
  readonly untilOffset: number | null;
  /** A batch ends before each of these offsets. */
  readonly cuts: readonly number[];
  /** A batch takes about so many bytes at most, unless it is a single record. */
  readonly batchBytesMax: number;
}

/** What the cluster has had against single partitions, as far as it still matters. */
export interface Care {
  readonly asides: readonly Aside[];
  readonly cuts: readonly (PartitionName & { readonly offset: number })[];
  /** Topics that take smaller batches than others. */
  readonly sizes: readonly { readonly topic: string; readonly batchBytesMax: number }[];
  readonly suspects: readonly Suspect[];
  readonly pauses: readonly Pause[];
}

/** A partition that was refused since it was last written to. */
interface Suspect extends PartitionName {
  /** Whether it was a session start that found it so last. */
  readonly isOpening: boolean;
  /** Of the first refusal in a row and of the last one, by the monotonic clock. */
  readonly sinceMs: number;
  readonly lastMs: number;
  /** Refusals that may pass by themselves, in a row. */
  readonly refusals: number;
  /** Records set aside in a row though it may have been the broker's fault. */
  readonly asides: number;
}

export const noCare: Care = { asides: [], cuts: [], sizes: [], suspects: [], pauses: [] };

/** When something was objected to, by the monotonic clock, and whether to a session start or to records. */
export interface Look {
  readonly atMs: number;
  readonly isOpening: boolean;
}

export interface Heeded {
  readonly care: Care;
  /** To be set aside now. */
  readonly ranges: readonly AsideRange[];
  /** Whether the next attempt is another one; else only waiting may help. */
  readonly isAnswered: boolean;
  /** Whether a partition cannot be written to, but not for long so far. */
  readonly isSoonOver: boolean;
}

/** What follows from what the cluster has said; only the first objection of a partition counts, as others follow from it. */
export function heed(care: Care, objections: readonly Objection[], look: Look): Heeded {
  let heeded: Heeded = { care, ranges: [], isAnswered: false, isSoonOver: false };
  const seen = new Set<string>();
  for (const objection of objections) {
    const name = `${objection.topic}/${objection.partition}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const one = heedOne(heeded.care, objection, look);
    heeded = {
      care: one.care,
      ranges: [...heeded.ranges, ...one.ranges],
      isAnswered: heeded.isAnswered || one.isAnswered,
      isSoonOver: heeded.isSoonOver || one.isSoonOver,
    };
  }
  return heeded;
}

/** After a session start to which nothing was objected: what an earlier one found is over, except for what it left out. */
export const settleOpened = (care: Care): Care => ({
  ...care,
  suspects: care.suspects.filter((suspect) => !suspect.isOpening || isPaused(care.pauses, suspect)),
});

/** After these positions were reached in a transaction that was committed. */
export function settle(care: Care, reached: readonly Position[]): Care {
  const isReached = (of: PartitionName): boolean => reached.some((one) => isSame(one, of));
  const isBehind = (of: PartitionName, offset: number): boolean =>
    reached.some((one) => isSame(one, of) && offset <= one.nextOffset);
  return {
    ...care,
    cuts: care.cuts.filter((cut) => !isBehind(cut, cut.offset)),
    suspects: care.suspects.filter((suspect) => !isReached(suspect)),
  };
}

/** Whether all of it is about partitions that were refused before. */
export const isSuspected = ({ suspects }: Care, objections: readonly Objection[]): boolean =>
  objections.every(({ topic, partition }) =>
    suspects.some((one) => one.topic === topic && one.partition === partition),
  );

/** Whether nothing of this partition is to be sent for now. */
export const isPaused = (pauses: readonly Pause[], { topic, partition }: PartitionName): boolean =>
  pauses.some((pause) => pause.topic === topic && (pause.partition ?? partition) === partition);

/** Whether the position lies behind it. */
export const isPassed = (aside: Aside, positions: readonly Position[]): boolean =>
  positions.some((one) => isSame(one, aside) && one.nextOffset >= aside.nextOffset);

/** The first offset from this one on that is not set aside. */
export function passAsides(asides: readonly Aside[], of: PartitionName, offset: number): number {
  const next = asides.find((one) => isSame(one, of) && one.fromOffset <= offset && offset < one.nextOffset);
  return next === undefined ? offset : passAsides(asides, of, next.nextOffset);
}

/** How the records behind a position are to be sent, in batches of about so many bytes at most. */
export function readPosition(care: Care, position: Position, bytesMax: number): ReadPosition {
  const starts = care.asides
    .filter((one) => isSame(one, position) && one.fromOffset >= position.nextOffset)
    .map(({ fromOffset }) => fromOffset);
  return {
    ...position,
    untilOffset: starts.length === 0 ? null : Math.min(...starts),
    cuts: care.cuts.filter((cut) => isSame(cut, position)).map(({ offset }) => offset),
    batchBytesMax: Math.min(batchBytesMax(care, position.topic), bytesMax),
  };
}

function heedOne(care: Care, objection: Objection, look: Look): Heeded {
  if (objection.partition === null) return paused(care, objection);
  switch (objection.verdict) {
    case 'too-large':
      return isSingle(objection) ? aside(care, objection) : smaller(care, objection.topic);
    case 'bad':
      return split(care, objection);
    case 'doubtful':
      return doubt(care, objection, look);
    case 'unwell':
      return suspect(care, objection, look);
  }
}

/** It may have been the broker or the link: only what is refused again and again is treated as bad. */
function doubt(care: Care, objection: PartitionObjection, look: Look): Heeded {
  const suspect = suspectAfter(care, objection, look);
  const noted = withSuspect(care, suspect);
  if (suspect.refusals < limits.doubtfulRefusalsMax) return { ...unanswered, care: noted };
  if (objection.batch === null || (isSingle(objection) && suspect.asides >= limits.doubtfulAsidesMax))
    return paused({ ...care, suspects: othersThan(care, objection) }, objection);
  if (!isSingle(objection)) return split(noted, objection);
  // The next record gets as many chances as this one had.
  return aside(withSuspect(care, { ...suspect, refusals: 0, asides: suspect.asides + 1 }), objection);
}

/**
 * A leader that moves is back within seconds; what takes longer is left out. Then the suspicion stays, so that one look
 * is enough when it is tried again.
 */
function suspect(care: Care, objection: PartitionObjection, look: Look): Heeded {
  const suspect = suspectAfter(care, objection, look);
  const noted = withSuspect(care, suspect);
  if (look.atMs - suspect.sinceMs >= limits.suspicionMs) return paused(noted, objection);
  return { ...unanswered, care: noted, isSoonOver: true };
}

function suspectAfter({ suspects }: Care, of: PartitionName, { atMs, isOpening }: Look): Suspect {
  const { topic, partition } = of;
  const before = suspects.find((one) => isSame(one, of));
  const isNew = before === undefined || atMs - before.lastMs > limits.suspicionKeptMs;
  const { refusals, asides, sinceMs } = isNew ? { refusals: 0, asides: 0, sinceMs: atMs } : before;
  return { topic, partition, refusals: refusals + 1, asides, sinceMs, lastMs: atMs, isOpening };
}

const withSuspect = (care: Care, suspect: Suspect): Care => ({
  ...care,
  suspects: [...othersThan(care, suspect), suspect],
});

const othersThan = ({ suspects }: Care, of: PartitionName): readonly Suspect[] =>
  suspects.filter((one) => !isSame(one, of));

/** Only waiting may help. */
const unanswered = { ranges: [], isAnswered: false, isSoonOver: false };

/** The next attempt is another one. */
const answered = { ...unanswered, isAnswered: true };

const isSingle = ({ batch }: PartitionObjection): boolean => batch?.recordCount === 1;

const paused = (care: Care, { topic, partition, message }: Pause): Heeded => ({
  ...answered,
  care: { ...care, pauses: [...care.pauses, { topic, partition, message }] },
});

const smaller = (care: Care, topic: string): Heeded => ({
  ...answered,
  care: {
    ...care,
    sizes: [
      ...care.sizes.filter((one) => one.topic !== topic),
      { topic, batchBytesMax: Math.max(1, Math.floor(batchBytesMax(care, topic) / 2)) },
    ],
  },
});

const batchBytesMax = ({ sizes }: Care, topic: string): number =>
  sizes.find((one) => one.topic === topic)?.batchBytesMax ?? limits.forwardBatchBytesMax;

/** Sets the guilty records aside if they are known, else has the batch sent in two halves. */
function split(care: Care, objection: PartitionObjection): Heeded {
  const { topic, partition, batch } = objection;
  if (batch === null) return { ...unanswered, care };
  if (isSingle(objection) || batch.badOffsets.length > 0) return aside(care, objection);
  const { fromOffset, nextOffset } = batch;
  const middle = fromOffset + Math.floor((nextOffset - fromOffset) / 2);
  const others = care.cuts.filter((cut) => !isSame(cut, objection));
  const offsets = care.cuts.filter((cut) => isSame(cut, objection)).map(({ offset }) => offset);
  // Those in front are reached first; what lies behind them is found again when its turn comes.
  const nearest = [...new Set([...offsets, fromOffset, middle, nextOffset])]
    .sort((one, other) => one - other)
    .slice(0, limits.batchCutsMax);
  const cuts = [...others, ...nearest.map((offset) => ({ topic, partition, offset }))];
  return { ...answered, care: { ...care, cuts } };
}

function aside(care: Care, objection: PartitionObjection): Heeded {
  const { topic, partition, batch, cause } = objection;
  assert(batch !== null, 'only records of a batch are set aside');
  const known = care.asides.filter((one) => isSame(one, objection)).length;
  const ranges = runsOf(batch.badOffsets.length > 0 ? batch.badOffsets : [batch.fromOffset])
    .slice(0, limits.asideRangesMax - known)
    .map((run) => ({ topic, partition, ...run, cause }));
  return { ...unanswered, care, ranges, isAnswered: ranges.length > 0 };
}

/** Offsets that follow each other as ranges. */
function runsOf(offsets: readonly number[]): readonly Pick<Aside, 'fromOffset' | 'nextOffset'>[] {
  const runs: { fromOffset: number; nextOffset: number }[] = [];
  for (const offset of [...offsets].sort((one, other) => one - other)) {
    const last = runs.at(-1);
    if (last?.nextOffset === offset) last.nextOffset = offset + 1;
    else runs.push({ fromOffset: offset, nextOffset: offset + 1 });
  }
  return runs;
}

/** The ledger tells of all others; a row about a row that cannot arrive would be refused like it. */
export const isTold = ({ topic }: AsideRange): boolean => topic !== gapsTopicName;

const formatVersion = 1;

/** `{"version":1,"ranges":[[fromOffset,nextOffset],…]}` in UTF-8, of one partition; what is adjacent becomes one range. */
export function encodeAsides(asides: readonly Aside[]): Uint8Array {
  const ranges: [number, number][] = [];
  for (const { fromOffset, nextOffset } of [...asides].sort((a, b) => a.fromOffset - b.fromOffset)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === fromOffset) last[1] = nextOffset;
    else ranges.push([fromOffset, nextOffset]);
  }
  return Buffer.from(JSON.stringify({ version: formatVersion, ranges }), 'utf8');
}

/** Reads what {@link encodeAsides} wrote; anything else is a reason in words. */
export function decodeAsides(bytes: Uint8Array, topic: string, partition: number): Parsed<readonly Aside[]> {
  const parsed = parseObject(bytes, formatVersion);
  if (!parsed.ok) return parsed;
  const { ranges } = parsed.value;
  const asides: Aside[] = [];
  for (const range of Array.isArray(ranges) ? (ranges as readonly unknown[]) : [null]) {
    const [fromOffset, nextOffset] = Array.isArray(range) ? (range as readonly unknown[]) : [];
    if (!isCount(fromOffset) || !isCount(nextOffset) || fromOffset >= nextOffset)
      return { ok: false, reason: 'ranges is not a list of pairs of offsets' };
    asides.push({ topic, partition, fromOffset, nextOffset });
  }
  return { ok: true, value: asides };
}
