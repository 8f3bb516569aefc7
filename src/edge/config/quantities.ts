/** Sizes are bytes and durations are milliseconds everywhere but in what people write and read. */
type Units = readonly (readonly [name: string, factor: number])[];

const KI = 1024;
const byteUnits: Units = [
  ['TiB', KI ** 4],
  ['GiB', KI ** 3],
  ['MiB', KI ** 2],
  ['KiB', KI],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['B', 1],
];

const SECOND = 1000;
const durationUnits: Units = [
  ['d', 24 * 3600 * SECOND],
  ['h', 3600 * SECOND],
  ['m', 60 * SECOND],
  ['s', SECOND],
  ['ms', 1],
];

const unitNames = (units: Units): string => units.map(([name]) => name).join('|');

/** What sizes and durations look like, as regular expressions for JSON Schema. */
export const sizePattern = `^[0-9]{1,16}(?:(?:\\.[0-9]{1,6})? ?(?:${unitNames(byteUnits)}))?$`;
export const durationPattern = `^[0-9]{1,16}(?:\\.[0-9]{1,6})? ?(?:${unitNames(durationUnits)})$`;

/** Reads a size such as `1GiB`, `1.5MB`, `500kB` or `4096` (bytes); undefined if it is none, or no whole number of bytes. */
export function parseSize(text: string): number | undefined {
  return /^\d+$/.test(text) ? parsed(`${text}B`, byteUnits) : parsed(text, byteUnits);
}

/** Bytes as {@link parseSize} reads them, exactly, with the unit that leaves the smallest number: `1536MiB`. */
export function formatSize(bytes: number): string {
  return formatted(bytes, byteUnits);
}

/** Reads a duration such as `30d`, `1.5h`, `15m`, `30s` or `250ms`, as milliseconds; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  return parsed(text, durationUnits);
}

/** Milliseconds as {@link parseDuration} reads them, exactly, with the unit that leaves the smallest number: `36h`. */
export function formatDuration(ms: number): string {
  return formatted(ms, durationUnits);
}

function parsed(text: string, units: Units): number | undefined {
  const [, number = '', name] = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-zA-Z]+)$/.exec(text) ?? [];
  const factor = units.find(([unit]) => unit === name)?.[1];
  if (factor === undefined) return undefined;
  const value = Number(number) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatted(value: number, units: Units): string {
  if (value === 0) return `0${units.at(-1)?.[0]}`;
  const [name, count] = units
    .filter(([, factor]) => value % factor === 0)
    .map(([unit, factor]) => [unit, value / factor] as const)
    .reduce((best, next) => (next[1] < best[1] ? next : best));
  return `${count}${name}`;
}
