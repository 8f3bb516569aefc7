import type { Decoded, Decoder } from './decoder.ts';
import { decodedObject, valueJson } from './json-object.ts';
import { utf8Text } from './text.ts';

export interface CsvSettings {
  /** The names of the columns, in order. */
  readonly columns: readonly string[];
  /** One character between two fields, no quote. */
  readonly separator: string;
}

interface Field {
  readonly text: string;
  readonly isQuoted: boolean;
}

/**
 * A frame is one row of comma-separated values with exactly these columns. Numbers become numbers, other fields strings; empty
 * ones are left out. White space around a field does not count. A field in double quotes is a string, in which the
 * separator may stand and `""` is one quote (RFC 4180).
 */
export function csvDecoder({ columns, separator }: CsvSettings): Decoder {
  return (frame): Decoded => {
    const text = utf8Text(frame);
    if (text === null) return { problem: 'not-utf-8' };
    const fields = fieldsOf(text, separator, columns.length);
    if (fields?.length !== columns.length) return { problem: 'wrong-columns' };
    return decodedObject(
      columns.flatMap((name, index): [string, string][] => {
        const { text: value, isQuoted } = fields[index] ?? { text: '', isQuoted: false };
        if (value === '') return [];
        return [[name, isQuoted ? JSON.stringify(value) : valueJson(value)]];
      }),
    );
  };
}

/** The fields of a row; null if there are more than so many, or a quote is where none may be. */
function fieldsOf(row: string, separator: string, countMax: number): readonly Field[] | null {
  const fields: Field[] = [];
  for (let at = 0; fields.length < countMax; ) {
    at = afterSpace(row, at, separator);
    const isQuoted = row[at] === '"';
    let end = isQuoted ? closingQuote(row, at) : row.indexOf(separator, at);
    if (isQuoted && end === -1) return null;
    if (end === -1) end = row.length;
    const text = isQuoted ? row.slice(at + 1, end).replaceAll('""', '"') : row.slice(at, end).trimEnd();
    fields.push({ text, isQuoted });
    if (isQuoted) end = afterSpace(row, end + 1, separator);
    if (end === row.length) return fields;
    if (row[end] !== separator) return null;
    at = end + 1;
  }
  return null;
}

/** Where white space that is no separator ends. */
function afterSpace(row: string, from: number, separator: string): number {
  let at = from;
  while ((row[at] === ' ' || row[at] === '\t' || row[at] === '\r') && row[at] !== separator) at += 1;
  return at;
}

/** Where the quote is that closes the one at `opening`; -1 if there is none. */
function closingQuote(row: string, opening: number): number {
  let at = row.indexOf('"', opening + 1);
  while (at !== -1 && row[at + 1] === '"') at = row.indexOf('"', at + 2);
  return at;
}
