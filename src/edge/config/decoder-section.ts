import { limits } from '../../core/limits.ts';
import { LinearPattern } from '../../ingest/decode/linear-pattern.ts';
import { type DecoderName, decoders, namesOf } from '../registry.ts';
import { type CheckContext, list, read, text, typeChoice } from './setting-kinds.ts';

/** `serial.decoder`, and that of a route: how messages are understood. */
export const decoderSection = () => typeChoice({ ...withoutSettings, ...withSettings() });

type WithSettings = ReturnType<typeof withSettings>;

const withoutSettings = Object.fromEntries(namesOf(decoders).map((name) => [name, {}])) as Readonly<
  Record<Exclude<DecoderName, keyof WithSettings>, Readonly<Record<never, never>>>
>;

const withSettings = () => ({
  csv: {
    /** Their names, in order. */
    columns: list(memberName(), 'names of columns, such as [temperature, humidity]', limits.decoderColumnsMax)
      .min(1, { error: () => 'write one column at least, such as [temperature, humidity]' })
      .superRefine(checkColumns),
    /** Between two columns. */
    separator: text(
      'one character, such as ";" or "\\t", that is no quote, letter, digit, point or sign',
      /^[^"\w.+\r\n-]$/,
    ).default(','),
  },
  'key-value': {
    /** Between two pairs; without it commas or semicolons, else white space. */
    pairSeparator: separator(';').optional(),
    /** Between a key and its value; without it a colon or an equals sign. */
    keySeparator: separator('=').optional(),
  },
  regex: {
    /** Its named groups are the values. */
    pattern: pattern(),
  },
  number: {
    /** What the number is called. */
    name: memberName().default('value'),
  },
});

function memberName() {
  const what = `a name of at most ${limits.decoderNameLengthMax} characters, such as temperature`;
  return text(what, (name) => name.trim() !== '' && name.length <= limits.decoderNameLengthMax);
}

function separator(example: string) {
  const what = `at most ${limits.decoderSeparatorLengthMax} characters that stand between, such as '${example}'`;
  return text(what, (value) => value !== '' && value.length <= limits.decoderSeparatorLengthMax);
}

function pattern() {
  const what = `a regular expression with named groups, such as '^T=(?<temperature>[0-9.]+)', of at most ${limits.decoderPatternLengthMax} characters`;
  return read(
    text(what, (value) => value !== '' && value.length <= limits.decoderPatternLengthMax),
    LinearPattern.of,
  );
}

function checkColumns(columns: readonly string[], context: CheckContext): void {
  columns.forEach((name, index) => {
    if (columns.indexOf(name) === index) return;
    context.addIssue({ code: 'custom', path: [index], message: 'write each column once', input: columns });
  });
}
