import type { Rarity } from './calibration.ts';

const units = [
  { name: 'day', milliseconds: 24 * 3600 * 1000 },
  { name: 'hour', milliseconds: 3600 * 1000 },
  { name: 'minute', milliseconds: 60 * 1000 },
];

/** How rare something is, in words for people: how often as much was seen in the time of which it is known. */
export function rarityWords({ reached, spanMs }: Rarity): string {
  return reached === 0 ? `the largest in ${duration(spanMs)}` : `about once in ${duration(spanMs / reached)}`;
}

function duration(spanMs: number): string {
  for (const { name, milliseconds } of units) {
    const count = Math.round(spanMs / milliseconds);
    if (count >= 2) return `${count} ${name}s`;
  }
  return 'a minute';
}
