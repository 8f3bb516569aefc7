import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline';

/** A line of a series. */
export interface Row {
  /** As it is written in the file. */
  readonly timestamp: string;
  /** Milliseconds since 1970; a timestamp without an offset is taken as UTC. */
  readonly timeMs: number;
  readonly value: number;
}

/** A file is no series: its message names the file and the line, and says what is wrong there. */
export class NotASeriesError extends Error {
  override readonly name = 'NotASeriesError';
}

const HEADER = 'timestamp,value';
const timestamps =
  /^(?<date>\d{4}-\d\d-\d\d)[ T](?<time>\d\d:\d\d)(?<seconds>:\d\d)?(?<fraction>\.\d{1,3})?\d*(?<offset>Z|[+-]\d\d:\d\d)?$/;

/** Milliseconds since 1970 of `2014-04-01 00:05:00`, with or without fractions of a second or an offset; NaN if it is no time. */
export function parseTimestamp(text: string): number {
  const groups = timestamps.exec(text)?.groups;
  if (groups === undefined) return Number.NaN;
  const { date, time, seconds = ':00', fraction = '', offset = 'Z' } = groups;
  return Date.parse(`${date}T${time}${seconds}${fraction}${offset}`);
}

/** What a line says, or what is wrong with it. */
export function parseRow(line: string): Row | string {
  const [timestamp = '', value = '', ...rest] = line.split(',').map((field) => field.trim());
  if (rest.length > 0) return 'has more than two columns';
  const timeMs = parseTimestamp(timestamp);
  if (Number.isNaN(timeMs)) return `has no timestamp like 2014-04-01 00:05:00, but "${timestamp}"`;
  if (value === '' || !Number.isFinite(Number(value))) return `has no number as value, but "${value}"`;
  return { timestamp, timeMs, value: Number(value) };
}

/** The rows of a `timestamp,value` file, as they are read. Throws NotASeriesError at the first that is none. */
export async function* readRows(path: string): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    number += 1;
    if (number === 1) {
      if (line.replace(/^\uFEFF/, '').trim() !== HEADER)
        throw new NotASeriesError(`${path}:1: the header must be ${HEADER}, it is "${line}"`);
      continue;
    }
    if (line.trim() === '') continue;
    const row = parseRow(line);
    if (typeof row === 'string') throw new NotASeriesError(`${path}:${number}: the line ${row}`);
    yield row;
  }
  if (number === 0) throw new NotASeriesError(`${path}:1: the file is empty, it must begin with ${HEADER}`);
}

/** The paths of all CSV files in a folder and below, relative to it, with `/`, sorted. */
export async function listSeries(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.csv'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort();
}
