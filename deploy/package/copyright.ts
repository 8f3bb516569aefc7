import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { packagesIn } from './bundle.ts';

/** What is known of the licence of some files. */
export interface Licensed {
  /** Patterns from the root of the file system, without the first slash. */
  readonly files: readonly string[];
  /** As SPDX names it. */
  readonly licence: string;
  /** The text of the licence; undefined if the package has none. */
  readonly text: string | undefined;
  /** Who holds the copyright if the text does not say. */
  readonly author: string;
  /** Whether the text is of many works, each with its own holders: then it is repeated as it is. */
  readonly isCollection?: boolean;
}

/** What the packages of a bundle say of their licences, in the order of their names. `root` is what `bundle` will be below. */
export async function licencesIn(bundle: string, root: string): Promise<Licensed[]> {
  const modules = join(bundle, 'app/node_modules');
  const packages = await packagesIn(modules);
  const rows = await Promise.all(
    packages.map(async ({ folder }) => {
      const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
        license?: string;
        author?: string | { name?: string };
      };
      const names = (await readdir(folder))
        .filter((name) => /^(?:licen[cs]e|notice|copyright)/i.test(name))
        .sort();
      const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
      const author = typeof manifest.author === 'string' ? manifest.author : manifest.author?.name;
      return {
        files: [`${root}/${relative(bundle, folder)}/*`],
        licence: manifest.license ?? 'unknown',
        text: texts.length === 0 ? undefined : texts.join('\n\n'),
        author: author ?? `the authors of ${relative(modules, folder)}`,
      };
    }),
  );
  return rows;
}

/** Those that Debian has on every machine need not be repeated. */
const onEveryMachine = new Set(['Apache-2.0']);

/**
 * Debian's machine-readable copyright file. Each text of a licence stands there once, whoever holds the copyright; a text that differs
 * has a name of its own.
 */
export function copyrightFile(first: Licensed, others: readonly Licensed[]): string {
  const texts = new Map<string, string>();
  const names = new Map<string, number>();
  const nameOf = (row: Licensed): string => {
    const short = row.licence.replaceAll(/[()]/g, '').replaceAll(/\s+/g, '-');
    const body = bodyOf(row);
    const key = `${short} ${body.replaceAll(/\s+/g, ' ').toLowerCase()}`;
    const known = texts.get(key);
    if (known !== undefined) return known.slice(0, known.indexOf('\n'));
    const count = (names.get(short) ?? 0) + 1;
    names.set(short, count);
    const name = count === 1 ? short : `${short}-text-${count}`;
    texts.set(key, `${name}\n${body}`);
    return name;
  };
  const paragraphs = [first, ...others].map((row) =>
    [
      `Files: ${row.files.join('\n       ')}`,
      `Copyright: ${holders(row).join('\n           ')}`,
      `License: ${nameOf(row)}`,
    ].join('\n'),
  );
  const bodies = [...texts.values()].map((text) => {
    const [name = '', ...lines] = text.split('\n');
    return [
      `License: ${name}`,
      ...lines.map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`)),
    ].join('\n');
  });
  const header = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/';
  return `${[header, ...paragraphs, ...bodies].join('\n\n')}\n`;
}

/** A line that only says who holds the copyright. */
const holderLine = /^\W*(?:copyright\b|\(c\)|©).*\d{4}|^\W*copyright (?:\(c\)|©)/i;

function bodyOf({ licence, text, isCollection }: Licensed): string {
  if (onEveryMachine.has(licence)) return `On Debian the text is in /usr/share/common-licenses/${licence}.`;
  if (text === undefined) return `The package names its licence, ${licence}, and carries no text of it.`;
  return isCollection === true ? text.trim() : withoutHolders(text);
}

function holders({ text, author, isCollection }: Licensed): string[] {
  if (isCollection === true) return [author];
  const lines = (text ?? '').split('\n').filter((line) => holderLine.test(line));
  const named = lines.map((line) =>
    line
      .trim()
      .replace(/^\W*copyright:?\s*/i, '')
      .replace(/^(?:\(c\)|©)\s*/i, ''),
  );
  return named.length === 0 ? [author] : [...new Set(named)];
}

function withoutHolders(text: string): string {
  return text
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => !holderLine.test(line))
    .join('\n')
    .replace(/^\s*(?:#+\s*)?(?:the )?(?:mit|isc) licen[cs]e(?: \(mit\))?\s*\n/i, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
