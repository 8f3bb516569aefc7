const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in powers of a thousand, as the makers of cards and the sellers of data volume count. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${rounded(bytes / 1000 ** power)} ${units[power]}`;
}

/** Three digits that say something. */
export const rounded = (value: number): string => String(Number(value.toPrecision(3)));

/** `1 record`, `2 records`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
