import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

const SECTOR_BYTES = 512;
const FLUSH = 1n;
const DISCARD = 4n;

interface Entry {
  readonly isFlush: boolean;
  /** Where it was written on the card, and where its bytes are in the log. */
  readonly cardAt: number;
  readonly logAt: number;
  readonly length: number;
}

/**
 * Does to a card what QEMU has noted (`blklogwrites`, the format of the kernel's dm-log-writes), up to the last flush: what a card
 * with a cache that forgets everything would have after a power cut. The card is the one from before.
 * @returns how many writes and bytes were done, and how many were forgotten
 */
export async function writeWhatWasFlushed(log: string, card: string) {
  await using source = await open(log, 'r');
  await using target = await open(card, 'r+');
  const entries = await entriesOf(source);
  const lastFlush = entries.findLastIndex(({ isFlush }) => isFlush);
  const kept = entries.slice(0, lastFlush + 1).filter(({ length }) => length > 0);
  let bytes = 0;
  for (const { cardAt, logAt, length } of kept) {
    const data = Buffer.alloc(length);
    await source.read(data, 0, length, logAt);
    await target.write(data, 0, length, cardAt);
    bytes += length;
  }
  const forgotten = entries.slice(lastFlush + 1).filter(({ length }) => length > 0).length;
  return { writes: kept.length, bytes, flushes: entries.filter(({ isFlush }) => isFlush).length, forgotten };
}

async function entriesOf(log: FileHandle): Promise<readonly Entry[]> {
  const { size } = await log.stat();
  const entries: Entry[] = [];
  const header = Buffer.alloc(24);
  // The first sector says what it is.
  for (let at = SECTOR_BYTES; at + SECTOR_BYTES <= size; ) {
    await log.read(header, 0, header.length, at);
    const [sector = 0n, count = 0n, flags = 0n] = [0, 8, 16].map((from) => header.readBigUInt64LE(from));
    // One that was on its way when the power was cut.
    if (count === 0n && flags === 0n) break;
    const logAt = at + SECTOR_BYTES;
    // What is discarded may be anything from then on, also what it was.
    const length = (flags & DISCARD) === 0n ? Number(count) * SECTOR_BYTES : 0;
    if (logAt + length > size) break;
    entries.push({ isFlush: (flags & FLUSH) !== 0n, cardAt: Number(sector) * SECTOR_BYTES, logAt, length });
    at = logAt + length;
  }
  return entries;
}
