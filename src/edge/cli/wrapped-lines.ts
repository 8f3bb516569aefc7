/**
 * The lines of a text, none longer than `columns` characters: what is longer goes on below the place where its words began,
 * and a word that fits nowhere is cut.
 */
export function wrappedLines(text: string, columns: number): readonly string[] {
  return text.split('\n').flatMap((line) => (line.length <= columns ? [line] : wrapped(line, columns)));
}

function wrapped(line: string, columns: number): readonly string[] {
  // Rows are a name and a text in columns, with two spaces or more before each.
  const hanging = /^(?: *\S+ {2,}| +)/.exec(line)?.[0].length ?? 0;
  const indent = ' '.repeat(hanging < columns / 2 ? hanging : 0);
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > indent.length ? space : columns;
    lines.push(rest.slice(0, end).trimEnd());
    rest = `${indent}${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest];
}
