/** A text as one word of bash, zsh or sh: as it is if nothing in it means anything to them, else in quotes. */
export function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
