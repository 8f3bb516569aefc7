import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

/** What the data folder takes on the disk. */
export interface DiskUsage {
  /** Files of the journal, those in reserve included. */
  readonly journalBytes: number;
  readonly segmentBytes: number;
  /** What damage left in the quarantine. */
  readonly quarantineBytes: number;
  /** Files of others that are not small. */
  readonly otherBytes?: number;
}

/** Everything, with what other small files may take. */
export const usedBytes = ({
  journalBytes,
  segmentBytes,
  quarantineBytes,
  otherBytes = 0,
}: DiskUsage): number =>
  journalBytes + segmentBytes + quarantineBytes + otherBytes + limits.otherFilesBytesMax;

/**
 * How much must become free so that `budgetBytes` are kept while this many journal files are sealed: their records are on
 * the disk twice until the catalog knows the copies, and the journal goes on meanwhile.
 */
export const bytesToFree = (
  usage: DiskUsage,
  budgetBytes: number,
  fileBytes: number,
  filesToSeal: number,
): number =>
  Math.max(0, usedBytes(usage) + fileBytes * (limits.budgetReserveFiles + filesToSeal) - budgetBytes);

/**
 * Whether further records may come: what the reserve holds is for those already taken in, and for what makes room.
 */
export const hasRoom = (usage: DiskUsage, budgetBytes: number, fileBytes: number): boolean =>
  usedBytes(usage) + fileBytes * limits.budgetReserveFiles <= budgetBytes;

/** What is said to those who append when there is no room. */
export const budgetIsUsedUp = (): OperatingError =>
  new OperatingError(
    'log-unavailable',
    'the disk budget is used up, and nothing in it may be removed yet; offer the same records again later, or raise data.budget',
  );
