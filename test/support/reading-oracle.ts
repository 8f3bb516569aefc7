import { type Reading, readingOf } from './sensor-fleet.ts';

/** Devices whose readings may not be there twice; by default there are none, as with QoS 1. */
interface Expectation {
  readonly isExact?: (device: string) => boolean;
}

/** What is wrong, in words, and what kind of promise it breaks. */
export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'reordered';
  readonly text: string;
}

/**
 * Judges stored records by the senders' own list: each acknowledged reading is there, and the first occurrences of
 * each device's readings are in order. Returns what is wrong; empty if nothing.
 */
export function findWrongReadings(
  acknowledged: readonly Reading[],
  storedPayloads: readonly string[],
  { isExact = () => false }: Expectation = {},
): Finding[] {
  const wrong: Finding[] = [];
  const seen = new Map<string, Set<number>>();
  for (const payload of storedPayloads) {
    const { device, sequence } = readingOf(payload);
    const sequences = seen.get(device) ?? new Set<number>();
    seen.set(device, sequences);
    if (sequences.has(sequence)) {
      if (isExact(device)) wrong.push({ kind: 'doubled', text: `${device} ${sequence} is there twice` });
      continue;
    }
    if (sequence !== sequences.size) {
      const text = `${device} first shows ${sequence} after ${sequences.size} others`;
      wrong.push({ kind: 'reordered', text });
    }
    sequences.add(sequence);
  }
  for (const { device, sequence } of acknowledged) {
    if (seen.get(device)?.has(sequence) !== true)
      wrong.push({ kind: 'lost', text: `${device} ${sequence} was acknowledged and is lost` });
  }
  return wrong;
}

/** The same in words. */
export const judgeReadings = (
  acknowledged: readonly Reading[],
  storedPayloads: readonly string[],
  expectation: Expectation = {},
): string[] => findWrongReadings(acknowledged, storedPayloads, expectation).map(({ text }) => text);
