import { type Reading, readingOf } from './sensor-fleet.ts';

/**
 * Judges stored records by the senders' own list: each acknowledged reading is there, and the first occurrences of
 * each device's readings are in order. Returns what is wrong, in words; empty if nothing.
 */
export function judgeReadings(acknowledged: readonly Reading[], storedPayloads: readonly string[]): string[] {
  const wrong: string[] = [];
  const seen = new Map<string, Set<number>>();
  for (const payload of storedPayloads) {
    const { device, sequence } = readingOf(payload);
    const sequences = seen.get(device) ?? new Set<number>();
    seen.set(device, sequences);
    if (sequences.has(sequence)) continue;
    if (sequence !== sequences.size)
      wrong.push(`${device} first shows ${sequence} after ${sequences.size} others`);
    sequences.add(sequence);
  }
  for (const { device, sequence } of acknowledged) {
    if (seen.get(device)?.has(sequence) !== true)
      wrong.push(`${device} ${sequence} was acknowledged and is lost`);
  }
  return wrong;
}
