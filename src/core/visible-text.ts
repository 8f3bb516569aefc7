/** Characters that say nothing to a reader, but can drive a terminal, break a line or turn the direction of a text. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with such characters as `\u{…}`: what devices call themselves is not to be trusted in a terminal. */
export const visibleText = (text: string): string =>
  text.replace(unseen, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
