import { type Reading, readingOf } from './sensor-fleet.ts';

/** Devices whose readings may not be there twice; by default there are none, as with QoS 1. */
interface Expectation {
  readonly isExact?: (device: string) => boolean;
}

/**
 * Judges stored records by the senders' own list: each acknowledged reading is there, and the first occurrences of
 * each device's readings are in order. Returns what is wrong, in words; empty if nothing.
 */
export function judgeReadings(
  acknowledged: readonly Reading[],
  storedPayloads: readonly string[],
  { isExact = () => false }: Expectation = {},
): string[] {
  const wrong: string[] = [];
  const seen = new Map<string, Set<number>>();
  for (const payload of storedPayloads) {
    const { device, sequence } = readingOf(payload);
    const sequences = seen.get(device) ?? new Set<number>();
    seen.set(device, sequences);
    if (sequences.has(sequence)) {
      if (isExact(device)) wrong.push(`${device} ${sequence} is there twice`);
      continue;
    }
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
