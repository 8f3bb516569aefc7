import { createHash } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import { type Parsed, parseObject } from './stored-json.ts';

/** Who the mirror is for the cluster: part of its transactional ids and of the keys of its checkpoints. */
export interface Identity {
  /** 32 hex digits. The log id of the folder, until another one is minted. */
  readonly logId: string;
  /** Identities of this folder's past, oldest first: others may go on under them, so they are only read. */
  readonly ancestors: readonly string[];
  /** The board that the identity belongs to; null if it has no serial number. */
  readonly board: string | null;
}

const formatVersion = 1;

/**
 * The identity on this board: the stored one, or the folder's own the first time. On another board than before the
 * folder is a copy whose original may still run, so a new identity is minted.
 */
export function identityOn(board: string | null, stored: Identity | null, logId: string): Identity {
  if (stored === null) return { logId, ancestors: [], board };
  if (board === null || board === stored.board) return stored;
  return stored.board === null ? { ...stored, board } : mint({ ...stored, board }, board);
}

/** An identity that nobody has, derived from what tells this folder's history from that of the others. */
export function mint(identity: Identity, difference: string): Identity {
  const { logId, ancestors, board } = identity;
  return {
    logId: createHash('sha256').update(`${logId}/${difference}`).digest('hex').slice(0, logId.length),
    ancestors: [...ancestors, logId].slice(-limits.ancestorsMax),
    board,
  };
}

/** `{"version":1,"logId":"…","ancestors":["…"],"board":"…"}` in UTF-8. */
export const encodeIdentity = (identity: Identity): Uint8Array =>
  Buffer.from(JSON.stringify({ version: formatVersion, ...identity }), 'utf8');

/** Reads what {@link encodeIdentity} wrote; anything else is a reason in words. */
export function decodeIdentity(bytes: Uint8Array): Parsed<Identity> {
  const parsed = parseObject(bytes, formatVersion);
  if (!parsed.ok) return parsed;
  const { logId, ancestors, board } = parsed.value;
  if (!isLogId(logId)) return { ok: false, reason: 'logId is none' };
  if (!Array.isArray(ancestors) || !ancestors.every(isLogId))
    return { ok: false, reason: 'ancestors is not a list of log ids' };
  if (board !== null && typeof board !== 'string') return { ok: false, reason: 'board is no text' };
  return { ok: true, value: { logId, ancestors, board } };
}

const isLogId = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
