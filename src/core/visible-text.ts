/** What a terminal would obey, or show in another order than it was written. */
const steering = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** The text with such characters as `\uNNNN`: what devices call themselves is not to be trusted in a terminal. */
export const visibleText = (text: string): string =>
  text.replace(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
