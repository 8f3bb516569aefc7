import { limits } from '../../core/limits.ts';
import type { LogRecord } from '../../core/record.ts';
import type { LifeStart } from '../../log/types.ts';
import { checkpointKey } from '../cluster/names.ts';
import { isCount, type Parsed, parseObject } from './stored-json.ts';

/**
 * What the cluster says has arrived of one partition (design §6). It is written in the transaction that carries the
 * records, so it is true exactly when they are there.
 */
export interface Checkpoint {
  /** The local offset that is to be sent next. */
  readonly nextOffset: number;
  /** The last lives of which records were sent, oldest first, each with the first offset sent. */
  readonly lives: readonly LifeStart[];
}

/** A partition of the log. */
export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** Where a partition stands, and what its next checkpoint lists. */
export interface Position extends Checkpoint, PartitionName {}

/** Whether both are about the same partition. */
export const isSame = (one: PartitionName, other: PartitionName): boolean =>
  one.topic === other.topic && one.partition === other.partition;

/** The copy that the gateway keeps of what the cluster confirmed, for the day on which the cluster has lost it. */
export interface CheckpointCopy extends Checkpoint {
  /** The cluster that confirmed it. */
  readonly clusterId: string;
  /** Where the transaction ends whose commit is about to be asked for: whether it arrived is in doubt. */
  readonly sendingTo: number | null;
}

const formatVersion = 1;

/** `{"version":1,"nextOffset":n,"lives":[["<life>",firstOffsetSent],…]}` in UTF-8. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  return Buffer.from(JSON.stringify({ version: formatVersion, ...fieldsOf(checkpoint) }), 'utf8');
}

/** The record in the checkpoint topic that says so of a position, under the identity `logId`. */
export const checkpointRecord = (
  logId: string,
  { topic, partition, ...checkpoint }: Position,
  timestampMs: number,
): LogRecord => ({
  key: Buffer.from(checkpointKey(logId, topic, partition), 'utf8'),
  value: encodeCheckpoint(checkpoint),
  timestampMs,
  headers: [],
});

/**
 * `{"version":1,"clusterId":"…","sendingTo":n,"nextOffset":n,"lives":[…]}` in UTF-8; without `sendingTo` while no
 * transaction is in doubt.
 */
export function encodeCopy({ clusterId, sendingTo, ...checkpoint }: CheckpointCopy): Uint8Array {
  const fields = { version: formatVersion, clusterId, ...(sendingTo === null ? {} : { sendingTo }) };
  return Buffer.from(JSON.stringify({ ...fields, ...fieldsOf(checkpoint) }), 'utf8');
}

/** Reads what {@link encodeCopy} wrote; anything else is a reason in words. */
export function decodeCopy(bytes: Uint8Array): Parsed<CheckpointCopy> {
  const parsed = parseObject(bytes, formatVersion);
  if (!parsed.ok) return parsed;
  const { clusterId, sendingTo = null } = parsed.value;
  if (typeof clusterId !== 'string') return bad('clusterId is no text');
  if (sendingTo !== null && !isCount(sendingTo)) return bad('sendingTo is not an offset');
  const checkpoint = checkpointOf(parsed.value);
  return checkpoint.ok ? { ok: true, value: { ...checkpoint.value, clusterId, sendingTo } } : checkpoint;
}

const fieldsOf = ({ nextOffset, lives }: Checkpoint) => ({
  nextOffset,
  lives: lives.map(({ life, firstOffset }) => [life, firstOffset]),
});

/** Reads what {@link encodeCheckpoint} wrote; anything else is a reason in words, never a guess. */
export function decodeCheckpoint(bytes: Uint8Array): Parsed<Checkpoint> {
  const parsed = parseObject(bytes, formatVersion);
  return parsed.ok ? checkpointOf(parsed.value) : parsed;
}

/**
 * The lives list after records from `fromOffset` on were sent again or anew. `sent` are the lives of those records.
 * What is listed from `fromOffset` on belongs to a history that this folder no longer has: it goes.
 */
export function extendLives(
  listed: readonly LifeStart[],
  fromOffset: number,
  sent: readonly LifeStart[],
): readonly LifeStart[] {
  const lives = listed.filter(({ firstOffset }) => firstOffset < fromOffset);
  for (const { life, firstOffset } of sent) {
    if (lives.at(-1)?.life !== life) lives.push({ life, firstOffset: Math.max(firstOffset, fromOffset) });
  }
  return lives.slice(-limits.checkpointLivesMax);
}

function decodeLives(value: unknown): readonly LifeStart[] | null {
  if (!Array.isArray(value) || value.length > limits.checkpointLivesMax) return null;
  const lives: LifeStart[] = [];
  for (const pair of value as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return null;
    const [life, firstOffset] = pair as readonly unknown[];
    if (typeof life !== 'string' || !/^[0-9a-f]{32}$/.test(life) || !isCount(firstOffset)) return null;
    if (firstOffset < (lives.at(-1)?.firstOffset ?? 0)) return null;
    lives.push({ life, firstOffset });
  }
  return lives;
}

function checkpointOf({ nextOffset, ...rest }: Record<string, unknown>): Parsed<Checkpoint> {
  if (!isCount(nextOffset)) return bad('nextOffset is not an offset');
  const lives = decodeLives(rest['lives']);
  if (lives === null)
    return bad('lives is not a list of at most 8 pairs of a life id and an offset, oldest first');
  return { ok: true, value: { nextOffset, lives } };
}

const bad = (reason: string): Parsed<never> => ({ ok: false, reason });
