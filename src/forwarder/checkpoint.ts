import { limits } from '../core/limits.ts';
import type { LifeStart } from '../log/types.ts';

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

export type DecodedCheckpoint =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly reason: string };

const formatVersion = 1;

/** `{"version":1,"nextOffset":n,"lives":[["<life>",firstOffsetSent],…]}` in UTF-8. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const lives = checkpoint.lives.map(({ life, firstOffset }) => [life, firstOffset]);
  return Buffer.from(
    JSON.stringify({ version: formatVersion, nextOffset: checkpoint.nextOffset, lives }),
    'utf8',
  );
}

/** Reads what {@link encodeCheckpoint} wrote; anything else is a reason in words, never a guess. */
export function decodeCheckpoint(bytes: Uint8Array): DecodedCheckpoint {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return bad('it is not JSON');
  }
  if (!isObject(value)) return bad('it is not a JSON object');
  if (value['version'] !== formatVersion)
    return bad(`its version is ${JSON.stringify(value['version'])}, and this release reads ${formatVersion}`);
  const { nextOffset } = value;
  if (!isOffset(nextOffset)) return bad('nextOffset is not an offset');
  const lives = decodeLives(value['lives']);
  if (lives === null)
    return bad('lives is not a list of at most 8 pairs of a life id and an offset, oldest first');
  return { ok: true, checkpoint: { nextOffset, lives } };
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
    if (typeof life !== 'string' || !/^[0-9a-f]{32}$/.test(life) || !isOffset(firstOffset)) return null;
    if (firstOffset < (lives.at(-1)?.firstOffset ?? 0)) return null;
    lives.push({ life, firstOffset });
  }
  return lives;
}

const bad = (reason: string): DecodedCheckpoint => ({ ok: false, reason });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
