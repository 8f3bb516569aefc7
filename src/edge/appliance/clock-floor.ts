import { limits } from '../../core/limits.ts';
import type { ApplianceDisk } from './appliance-disk.ts';

/** What is known of the time before anybody is asked for it; milliseconds since 1970, null for what is not known. */
export interface KnownTimes {
  /** When the image was built: no clock of it can be earlier. */
  readonly imageMs: number | null;
  /** When the log was last written, and when the time service last kept the time. */
  readonly lastMs: readonly (number | null)[];
}

/**
 * The earliest that it can be; null if nothing is known. What is absurdly late was written by a wrong clock, and does not count.
 * Pure.
 */
export function clockFloorMs({ imageMs, lastMs }: KnownTimes): number | null {
  const latest = imageMs === null ? Number.POSITIVE_INFINITY : imageMs + limits.clockAfterImageMsMax;
  const known = [imageMs, ...lastMs].filter((time) => time !== null && time <= latest) as number[];
  return known.length === 0 ? null : Math.max(...known);
}

/** Where the times are kept. */
export interface TimePlaces {
  readonly dataDir: string;
  /** A file with one line: when the image was built, such as 2026-11-27T04:00:00Z. */
  readonly imageTimeFile: string;
  /** The file that systemd-timesyncd touches. */
  readonly timesyncFile: string;
}

/**
 * Looks for the times. Of the journal the file with the highest number counts, which commits touch, and not the newest date: one
 * commit under a clock that was years ahead would stay for ever.
 */
export async function knownTimes(disk: ApplianceDisk, places: TimePlaces): Promise<KnownTimes> {
  const { dataDir, imageTimeFile, timesyncFile } = places;
  const image = await disk.read(imageTimeFile, limits.ownCredentialBytesMax).catch(() => null);
  const imageMs = image === null ? Number.NaN : Date.parse(Buffer.from(image).toString('utf8').trim());
  const journal = `${dataDir}/journal`;
  const names = await disk.list(journal).catch(() => []);
  const newest = names
    .filter((name) => /^\d{20}\.journal$/.test(name))
    .toSorted()
    .at(-1);
  const changedMs = (path: string): Promise<number | null> => disk.changedMs(path).catch(() => null);
  return {
    imageMs: Number.isNaN(imageMs) ? null : imageMs,
    lastMs: [
      newest === undefined ? null : await changedMs(`${journal}/${newest}`),
      await changedMs(timesyncFile),
    ],
  };
}
