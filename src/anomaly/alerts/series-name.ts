import { createHash } from 'node:crypto';
import { limits } from '../../core/limits.ts';

/** Where the readings of a series are found. */
export interface SeriesPlace {
  readonly topic: string;
  /** The key of its records; empty if they have none. */
  readonly key: string;
  /** The field of a payload of several; null for plain numbers. */
  readonly path: string | null;
}

/** Hex digits of the hash in the name of a series that would be too long. */
const HASH_DIGITS = 12;

/**
 * The name of a series: `topic:key:path`, without the path for plain numbers. What people or JSON cannot read as it is, and `*`, is
 * percent-encoded. It has `limits.seriesNameBytesMax` bytes at most: a longer one is cut, and ends in a hash of the whole.
 */
export function seriesName({ topic, key, path }: SeriesPlace): string {
  return boundedName([topic, key, ...(path === null ? [] : [path])].map(readable).join(':'));
}

/** The name of all series of a device (the key of a topic), of a topic, or of the gateway: `topic:key:*`, `topic:*`, `*`. */
export function parentName(topic: string | null, key: string | null): string {
  const known = [topic, key].filter((part) => part !== null);
  return boundedName([...known.map(readable), '*'].join(':'));
}

/** The topic in the name of a series or of several; null in that of the gateway. */
export const topicOf = (name: string): string | null =>
  name === '*' ? null : (name.split(':', 1)[0] ?? name);

const readable = (text: string): string => text.toWellFormed().replace(/[\p{C}"\\%*]/gu, percentEncoded);

const percentEncoded = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

function boundedName(name: string): string {
  if (Buffer.byteLength(name) <= limits.seriesNameBytesMax) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${boundedText(name, limits.seriesNameBytesMax - HASH_DIGITS - 1)}~${hash}`;
}

/** The text, cut between two characters so that it has so many bytes in UTF-8 at most. */
export function boundedText(text: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytesMax));
  return text.slice(0, read);
}
