import { limits } from '../core/limits.ts';
import { type WrittenBytes, writtenKinds } from '../platform/counted-disk.ts';

/** What a data folder has cost the card, over all its runs. */
export interface CardTotals {
  /** Key, value and header bytes of the records stored. */
  readonly payloadBytes: number;
  readonly deviceBytes: WrittenBytes;
}

/** Nothing yet. */
export const noTotals: CardTotals = {
  payloadBytes: 0,
  deviceBytes: { journal: 0, segments: 0, other: 0, metadata: 0 },
};

/** What it costs to replace `card.json`: one block of it, its new inode, and its name. */
const saving: CardTotals = {
  payloadBytes: 0,
  deviceBytes: {
    ...noTotals.deviceBytes,
    other: limits.deviceBlockBytes,
    metadata: 2 * limits.metadataSyncBytes,
  },
};

const formatVersion = 1;

/** Both together. */
export function addTotals(one: CardTotals, other: CardTotals): CardTotals {
  const { journal, segments, other: others, metadata } = one.deviceBytes;
  const more = other.deviceBytes;
  return {
    payloadBytes: one.payloadBytes + other.payloadBytes,
    deviceBytes: {
      journal: journal + more.journal,
      segments: segments + more.segments,
      other: others + more.other,
      metadata: metadata + more.metadata,
    },
  };
}

/** All that was given to the device, whatever for. */
export const deviceBytesOf = ({ deviceBytes }: CardTotals): number =>
  writtenKinds.reduce((sum, kind) => sum + deviceBytes[kind], 0);

/** The content of `card.json`: the totals as they are once it is written. */
export function encodeTotals(totals: CardTotals): Uint8Array {
  return Buffer.from(`${JSON.stringify({ version: formatVersion, ...addTotals(totals, saving) })}\n`, 'utf8');
}

/** Reads what {@link encodeTotals} wrote; anything else is a reason in words. Never throws. */
export function decodeTotals(bytes: Uint8Array): CardTotals | { readonly reason: string } {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { reason: 'it is not JSON' };
  }
  const { version, payloadBytes, deviceBytes } = objectOr(content);
  if (version !== formatVersion) return { reason: `its version is not ${formatVersion}` };
  const { journal, segments, other, metadata } = objectOr(deviceBytes);
  if (![payloadBytes, journal, segments, other, metadata].every(isCount))
    return { reason: 'a count in it is none' };
  return { payloadBytes, deviceBytes: { journal, segments, other, metadata } } as CardTotals;
}

const objectOr = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
